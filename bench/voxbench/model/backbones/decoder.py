"""The decoder rule: one decoder for every encoder that has none of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from voxbench.design.kernels import CUBE, FULL, Scale
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder

_WIDEST = 320


def decoded(encoder: Encoder) -> Backbone:
    """Complete an encoder with the common decoder."""
    kernels = [level.kernel for level in encoder.shaped] or None
    return Backbone(encoder, UNetDecoder(encoder.channels, encoder.scales, kernels))


class UNetDecoder(Decoder):
    """Level by level: transposed convolution, skip, one convolution (Isensee et al., 2024).

    A level is as wide as its skip, at least half as wide as the level below, and at most
    nnU-Net's 32 channels times its stride, 320 at most. Where the encoder's finest map is
    strided, a last transposed convolution brings it to full resolution at half the width.

    Args:
        channels: of the encoder's maps, finest first.
        scales: voxels of the image to one of each map.
        kernels: of the convolutions at each map's resolution; cubes if None.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        scales: Sequence[Scale],
        kernels: Sequence[Scale] | None = None,
    ) -> None:
        super().__init__()
        kernels = kernels or [CUBE] * len(channels)
        self.ups = nn.ModuleList()
        self.blocks = nn.ModuleList()
        below, widths = channels[-1], list[int]()
        for level in reversed(range(len(channels) - 1)):
            skip = channels[level]
            width = min(max(skip, below // 2), 32 * max(scales[level]), _WIDEST)
            self.ups.append(enlarge(below, width, _factor(scales[level + 1], scales[level])))
            self.blocks.append(convolution(width + skip, width, kernel=kernels[level]))
            below = width
            widths.append(width)
        self.last = nn.Sequential()
        finest = max(scales[0]) > 1
        if finest:
            width = max(below // 2, 8)
            self.last = nn.Sequential(enlarge(below, width, scales[0]), *_normalised(width))
            below = width
        self.out_channels = below
        self.widths = (*([below] if finest else []), *reversed(widths))
        self.scales = (*([FULL] if finest else []), *scales[:-1])
        self.stages = [(f"ups.{i}.", f"blocks.{i}.") for i in range(len(self.ups))]
        if len(self.last):
            self.stages.append(("last.",))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        return self.pyramid(maps)[0]

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps, finest first → features of every level, finest first."""
        *skips, x = maps
        found = []
        for up, block, skip in zip(self.ups, self.blocks, reversed(skips), strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
            found.append(x)
        if len(self.last) or not found:
            found.append(self.last(x))
        return found[::-1]


def _factor(coarse: Scale, fine: Scale) -> Scale:
    a, b, c = (n // m for n, m in zip(coarse, fine, strict=True))
    return a, b, c


def enlarge(channels: int, out_channels: int, factor: int | Scale) -> nn.Module:
    """A transposed convolution without overlap; 1x1x1 where nothing is enlarged."""
    return nn.ConvTranspose3d(channels, out_channels, kernel_size=factor, stride=factor)


def convolution(
    channels: int, out_channels: int, stride: int | Scale = 1, kernel: Scale = CUBE
) -> nn.Sequential:
    """Convolution (3x3x3 by default), instance norm, leaky ReLU, as in nnU-Net."""
    around = padding(kernel)
    convolve = nn.Conv3d(channels, out_channels, kernel, stride, around, bias=False)
    return nn.Sequential(convolve, *_normalised(out_channels))


def padding(kernel: Scale) -> Scale:
    """What keeps the size of a map."""
    a, b, c = (side // 2 for side in kernel)
    return a, b, c


def _normalised(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm3d(channels, affine=True), nn.LeakyReLU(0.01, inplace=True)
