"""A residual-encoder U-Net: nnU-Net's ResEnc presets (Isensee et al., MICCAI 2024)."""

from typing import NamedTuple

from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.design.kernels import FULL, Level, Spacing, levels
from voxbench.model.backbones.backbone import Encoder, maps_of
from voxbench.model.backbones.decoder import convolution, decoded


class _Size(NamedTuple):
    """Channels and residual blocks a level; the base size is the preset M, and nnssl's ResEnc-L."""

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    stem: int = 1


class ResidualEncoder(Encoder):
    """A stem, then levels of residual blocks; the first block of a level halves."""

    bottleneck = 2

    def __init__(self, size: _Size, in_channels: int, spacing: Spacing | None = None) -> None:
        super().__init__()
        self.channels = size.widths
        self.shaped = levels(len(size.widths), size.stem, spacing)
        self.strides = tuple(max(scale) for scale in self.scales)
        self.stages = [("stem.",), *((f"levels.{level}.",) for level in range(len(size.widths)))]
        kernel, stride = self.shaped[0]
        self.stem = convolution(in_channels, size.widths[0], stride, kernel)
        self.levels = nn.ModuleList()
        before = size.widths[0]
        shapes = [self.shaped[0]._replace(stride=FULL), *self.shaped[1:]]
        for width, blocks, shape in zip(size.widths, size.blocks, shapes, strict=True):
            first = ResidualBlock(before, width, shape)
            rest = [
                ResidualBlock(width, width, shape._replace(stride=FULL)) for _ in range(blocks - 1)
            ]
            self.levels.append(nn.Sequential(first, *rest))
            before = width

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.levels, self.stem(x))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut (He et al., 2016, option D: pooled, projected)."""

    def __init__(self, channels: int, out_channels: int, shape: Level) -> None:
        super().__init__()
        self.first = convolution(channels, out_channels, shape.stride, shape.kernel)
        second = convolution(out_channels, out_channels, kernel=shape.kernel)
        self.second, self.active = second[:2], second[2]
        self.shortcut = nn.Sequential()
        if shape.stride != FULL:
            self.shortcut.append(nn.AvgPool3d(shape.stride))
        if channels != out_channels:
            self.shortcut.append(nn.Conv3d(channels, out_channels, 1, bias=False))
            self.shortcut.append(nn.InstanceNorm3d(out_channels, affine=True))

    def forward(self, x: Tensor) -> Tensor:
        """Block plus shortcut, activated."""
        result: Tensor = self.active(self.second(self.first(x)) + self.shortcut(x))
        return result


RESENC_UNET = Architecture(
    "resenc-unet",
    {
        "tiny": _Size((16, 32, 64), (1, 1, 2), 2),
        "small": _Size((32, 64, 128, 256), (1, 3, 4, 6)),
        "base": _Size((32, 64, 128, 256, 320, 320), (1, 3, 4, 6, 6, 6)),
    },
    lambda size, channels: decoded(ResidualEncoder(size, channels)),
    lambda size, channels, spacing: decoded(ResidualEncoder(size, channels, spacing)),
)
