"""A plain convolutional U-Net (Ronneberger et al., 2015; widths of Isensee et al., 2021)."""

from typing import NamedTuple

from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.design.kernels import Spacing, levels
from voxbench.model.backbones.backbone import Encoder, maps_of
from voxbench.model.backbones.decoder import convolution, decoded


class _Size(NamedTuple):
    """Channels a level, convolutions a level, stride of the first level."""

    widths: tuple[int, ...]
    convolutions: int
    stem: int


class UNetEncoder(Encoder):
    """Levels of convolutions; the first of a level halves the resolution."""

    bottleneck = 2

    def __init__(self, size: _Size, in_channels: int, spacing: Spacing | None = None) -> None:
        super().__init__()
        self.channels = size.widths
        self.shaped = levels(len(size.widths), size.stem, spacing)
        self.strides = tuple(max(scale) for scale in self.scales)
        self.stages = [(f"levels.{level}.",) for level in range(len(size.widths))]
        self.levels = nn.ModuleList()
        before = in_channels
        for width, (kernel, stride) in zip(size.widths, self.shaped, strict=True):
            first = convolution(before, width, stride, kernel)
            count = size.convolutions - 1
            rest = [convolution(width, width, kernel=kernel) for _ in range(count)]
            self.levels.append(nn.Sequential(first, *rest))
            before = width

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.levels, x)


UNET = Architecture(
    "unet",
    {
        "tiny": _Size((16, 32, 64), 1, 2),
        "small": _Size((32, 64, 128, 256), 2, 1),
        "base": _Size((32, 64, 128, 256, 320, 320), 2, 1),
    },
    lambda size, channels: decoded(UNetEncoder(size, channels)),
    lambda size, channels, spacing: decoded(UNetEncoder(size, channels, spacing)),
)
