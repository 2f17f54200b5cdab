"""STU-Net (Huang et al., 2023), with its published key names.

The released weights were trained with five halvings along the last axis and four along the other
two (its plan's `pool_op_kernel_sizes`); so this network has them.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers, maps_of


class _Size(NamedTuple):
    """Channels of the first level and residual blocks a level."""

    width: int
    blocks: int


_POOLS = ((2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 1, 2))
_GROWTH = (1, 2, 4, 8, 16, 16)


class STUNetEncoder(Encoder):
    """Levels of residual blocks; the first of a level halves."""

    strides = (1, 2, 4, 8, 16, 32)  # of the coarsest map (16, 16, 32)

    def __init__(self, size: _Size, in_channels: int) -> None:
        super().__init__()
        self.channels = tuple(size.width * growth for growth in _GROWTH)
        self.stages = [(f"conv_blocks_context.{level}.",) for level in range(len(_GROWTH))]
        self.conv_blocks_context = nn.ModuleList()
        before = in_channels
        for width, pool in zip(self.channels, ((1, 1, 1), *_POOLS), strict=True):
            self.conv_blocks_context.append(_level(before, width, size.blocks, pool))
            before = width

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.conv_blocks_context, x)


class STUNetDecoder(Decoder):
    """Level by level: nearest neighbours enlarged, 1x1x1 convolution, skip, residual blocks."""

    def __init__(self, size: _Size) -> None:
        super().__init__()
        self.out_channels = size.width
        self.widths = tuple(size.width * growth for growth in _GROWTH[:-1])
        self.scales = tuple((2**level,) * 3 for level in range(len(_POOLS)))
        self.upsample_layers = nn.ModuleList()
        self.conv_blocks_localization = nn.ModuleList()
        for level in reversed(range(len(_POOLS))):
            below, width = (size.width * _GROWTH[i] for i in (level + 1, level))
            self.upsample_layers.append(_enlarged(below, width, _POOLS[level]))
            self.conv_blocks_localization.append(_level(2 * width, width, size.blocks))
        self.stages = [
            (f"upsample_layers.{i}.", f"conv_blocks_localization.{i}.") for i in range(len(_POOLS))
        ]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        return self.pyramid(maps)[0]

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps, finest first → features of every level, finest first."""
        *skips, x = maps
        found = []
        levels = zip(self.upsample_layers, self.conv_blocks_localization, strict=True)
        for (enlarge, level), skip in zip(levels, reversed(skips), strict=True):
            x = level(torch.cat([enlarge(x), skip], dim=1))
            found.append(x)
        return found[::-1]


def _enlarged(channels: int, out_channels: int, factor: tuple[int, int, int]) -> nn.Sequential:
    """Nearest neighbours, then a 1x1x1 convolution."""
    finer = nn.Upsample(scale_factor=factor, mode="nearest")
    return layers(finer=finer, conv=nn.Conv3d(channels, out_channels, 1))


class _Block(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut, which is projected where the block is a first."""

    def __init__(
        self, channels: int, out_channels: int, stride: tuple[int, int, int], projected: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, out_channels, 3, stride, padding=1)
        self.norm1 = nn.InstanceNorm3d(out_channels, affine=True)
        self.conv2 = nn.Conv3d(out_channels, out_channels, 3, padding=1)
        self.norm2 = nn.InstanceNorm3d(out_channels, affine=True)
        self.conv3 = nn.Conv3d(channels, out_channels, 1, stride) if projected else None

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → (b, out_channels, …)."""
        y = F.leaky_relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.leaky_relu(y + (self.conv3(x) if self.conv3 else x))


def _level(
    channels: int, out_channels: int, count: int, stride: tuple[int, int, int] = (1, 1, 1)
) -> nn.Sequential:
    """A level: the first block changes width and resolution."""
    first = _Block(channels, out_channels, stride, projected=True)
    rest = (
        _Block(out_channels, out_channels, (1, 1, 1), projected=False) for _ in range(count - 1)
    )
    return nn.Sequential(first, *rest)


STUNET = Architecture(
    "stunet",
    {  # 14.60M, 58.26M, 440.30M and 1457.33M parameters with its heads
        "small": _Size(16, 1),
        "base": _Size(32, 1),
        "large": _Size(64, 2),
        "huge": _Size(96, 3),
    },
    lambda size, channels: Backbone(STUNetEncoder(size, channels), STUNetDecoder(size)),
)
