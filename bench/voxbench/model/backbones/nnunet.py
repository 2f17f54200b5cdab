"""nnU-Net's plain U-Net (Isensee et al., 2021), with the key names of its second version.

That is `PlainConvUNet` of dynamic-network-architectures: every axis is halved from level to level,
two convolutions a level on both ways, with biases although a norm follows. What it calls `stages`
is called `levels` here.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.design.kernels import FULL, Level, Spacing, levels, scales
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers, maps_of
from voxbench.model.backbones.decoder import enlarge, padding


class _Size(NamedTuple):
    """Channels a level, the finest first."""

    widths: tuple[int, ...]


class NnUNetEncoder(Encoder):
    """Levels of two convolutions; the first of a level halves."""

    bottleneck = 2

    def __init__(self, size: _Size, in_channels: int, spacing: Spacing | None = None) -> None:
        super().__init__()
        self.channels = size.widths
        self.shaped = levels(len(size.widths), spacing=spacing)
        self.strides = tuple(max(scale) for scale in self.scales)
        self.stages = [(f"levels.{level}.",) for level in range(len(size.widths))]
        widths = zip((in_channels, *size.widths), size.widths, self.shaped, strict=False)
        self.levels = nn.ModuleList(
            nn.Sequential(_level(before, width, shape)) for before, width, shape in widths
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.levels, x)


class NnUNetDecoder(Decoder):
    """Level by level: transposed convolution, skip, two convolutions."""

    def __init__(self, size: _Size, spacing: Spacing | None = None) -> None:
        super().__init__()
        self.out_channels = size.widths[0]
        self.widths = size.widths[:-1]
        shaped = levels(len(size.widths), spacing=spacing)
        self.scales = scales(shaped)[:-1]
        upwards = size.widths[::-1]
        count = len(upwards) - 1
        self.stages = [(f"transpconvs.{i}.", f"levels.{i}.") for i in range(count)]
        pairs = [(upwards[i], upwards[i + 1]) for i in range(count)]
        factors = [level.stride for level in shaped[:0:-1]]
        kernels = [Level(level.kernel, FULL) for level in shaped[-2::-1]]
        self.transpconvs = nn.ModuleList(
            enlarge(*pair, factor) for pair, factor in zip(pairs, factors, strict=True)
        )
        self.levels = nn.ModuleList(
            _level(2 * width, width, kernel)
            for (_, width), kernel in zip(pairs, kernels, strict=True)
        )

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        return self.pyramid(maps)[0]

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps, finest first → features of every level, finest first."""
        *skips, x = maps
        found = []
        for up, level, skip in zip(self.transpconvs, self.levels, reversed(skips), strict=True):
            x = level(torch.cat([up(x), skip], dim=1))
            found.append(x)
        return found[::-1]


def _level(channels: int, out_channels: int, shape: Level) -> nn.Module:
    """Two convolutions, the first of them strided."""
    first = _convolution(channels, out_channels, shape)
    second = _convolution(out_channels, out_channels, shape._replace(stride=FULL))
    return layers(convs=nn.Sequential(first, second))


def _convolution(channels: int, out_channels: int, shape: Level) -> nn.Sequential:
    """Convolution, instance norm, leaky ReLU."""
    kernel, stride = shape
    return layers(
        conv=nn.Conv3d(channels, out_channels, kernel, stride, padding(kernel)),
        norm=nn.InstanceNorm3d(out_channels, affine=True),
        nonlin=nn.LeakyReLU(0.01, inplace=True),
    )


NNUNET = Architecture(
    "nnunet",
    {
        "tiny": _Size((8, 16, 32)),  # ours, for trials
        "base": _Size((32, 64, 128, 256, 320, 320)),  # its default for large isotropic volumes
    },
    lambda size, channels: Backbone(NnUNetEncoder(size, channels), NnUNetDecoder(size)),
    lambda size, channels, spacing: Backbone(
        NnUNetEncoder(size, channels, spacing), NnUNetDecoder(size, spacing)
    ),
)
