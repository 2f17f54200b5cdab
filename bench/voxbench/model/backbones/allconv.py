"""OBELISK's all-convolutional U-Net under its published names (Heinrich et al., 2019).

The published code calls `dropout3d` without saying whether it trains. The weights lack
`num_batches_tracked`, so an early PyTorch wrote them, whose default is taken to have been to drop
nothing; nor does this network.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.model.backbones.norm import SmallBatchNorm3d

_SLOPE = 0.1
_FEATURES = 9  # as many as the published head has outputs
_UP = ("6dU", "6cU", "6bU", "6U", "7U")


class AllConvEncoder(Encoder):
    """`conv0`, then two convolutions a level, `conv1` and `conv11`, …; the first halves."""

    def __init__(self, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = widths
        self.strides = tuple(2**level for level in range(len(widths)))
        self.stages = [("conv0.", "batch0.")]
        _add(self, "0", in_channels, widths[0])
        for level in range(1, len(widths)):
            first, second = str(level), str(level) * 2
            _add(self, first, widths[level - 1], widths[level], stride=2)
            _add(self, second, widths[level], widths[level])
            self.stages.append(tuple(f"{k}{n}." for n in (first, second) for k in _KINDS))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        maps = [_apply(self, "0", x)]
        for level in range(1, len(self.channels)):
            x = _apply(self, str(level), maps[-1])
            maps.append(_apply(self, str(level) * 2, x))
        return maps


class AllConvDecoder(Decoder):
    """Trilinear enlargement, skip, one convolution a level: `conv6dU` … `conv7U`."""

    out_channels = _FEATURES

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        below = widths[-1]
        after = (*reversed(widths[1:-1]), _FEATURES)
        for name, skip, width in zip(_UP, reversed(widths[:-1]), after, strict=True):
            _add(self, name, below + skip, width)
            below = width
        self.stages = [tuple(f"{kind}{name}." for kind in _KINDS) for name in _UP]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for name, skip in zip(_UP, reversed(skips), strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="trilinear", align_corners=False)
            x = _apply(self, name, torch.cat([x, skip], dim=1))
        return x


_KINDS = ("conv", "batch")


def _add(module: nn.Module, name: str, channels: int, width: int, stride: int = 1) -> None:
    module.add_module(f"conv{name}", nn.Conv3d(channels, width, 3, stride, padding=1))
    module.add_module(f"batch{name}", SmallBatchNorm3d(width))


def _apply(module: nn.Module, name: str, x: Tensor) -> Tensor:
    convolved = module.get_submodule(f"conv{name}")(x)
    return F.leaky_relu(module.get_submodule(f"batch{name}")(convolved), _SLOPE)


ALLCONV_UNET = Architecture(
    "allconv-unet",
    {"base": (5, 14, 28, 42, 56, 70)},  # the published one, 0.88M parameters
    lambda widths, channels: Backbone(AllConvEncoder(channels, widths), AllConvDecoder(widths)),
)
