"""nnU-Net's plain U-Net (Isensee et al., 2021), with the key names of its second version.

That is `PlainConvUNet` of dynamic-network-architectures: every axis is halved from level to level,
two convolutions a level on both ways, with biases although a norm follows. What it calls `stages`
is called `levels` here.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers, maps_of
from voxbench.model.backbones.decoder import enlarge


class _Size(NamedTuple):
    """Channels a level, the finest first."""

    widths: tuple[int, ...]


class NnUNetEncoder(Encoder):
    """Levels of two convolutions; the first of a level halves."""

    bottleneck = 2

    def __init__(self, size: _Size, in_channels: int) -> None:
        super().__init__()
        self.channels = size.widths
        self.strides = tuple(2**level for level in range(len(size.widths)))
        self.stages = [(f"levels.{level}.",) for level in range(len(size.widths))]
        before = (in_channels, *size.widths)
        self.levels = nn.ModuleList(
            nn.Sequential(_level(before[level], width, stride=2 if level else 1))
            for level, width in enumerate(size.widths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.levels, x)


class NnUNetDecoder(Decoder):
    """Level by level: transposed convolution, skip, two convolutions."""

    def __init__(self, size: _Size) -> None:
        super().__init__()
        self.out_channels = size.widths[0]
        self.widths = size.widths[:-1]
        self.scales = tuple((2**level,) * 3 for level in range(len(self.widths)))
        upwards = size.widths[::-1]
        count = len(upwards) - 1
        self.stages = [(f"transpconvs.{i}.", f"levels.{i}.") for i in range(count)]
        pairs = [(upwards[i], upwards[i + 1]) for i in range(count)]
        self.transpconvs = nn.ModuleList(enlarge(below, width, 2) for below, width in pairs)
        self.levels = nn.ModuleList(_level(2 * width, width) for _, width in pairs)

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


def _level(channels: int, out_channels: int, stride: int = 1) -> nn.Module:
    """Two convolutions, the first of them strided."""
    convs = (_convolution(channels, out_channels, stride), _convolution(out_channels, out_channels))
    return layers(convs=nn.Sequential(*convs))


def _convolution(channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """3x3x3 convolution, instance norm, leaky ReLU."""
    return layers(
        conv=nn.Conv3d(channels, out_channels, 3, stride, padding=1),
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
)
