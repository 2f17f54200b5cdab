"""The U-Net of Models Genesis (Zhou et al., MedIA 2021), with its published key names.

It is also SuPreM's and the Universal Model's U-Net.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers

_DOWN = ("down_tr64", "down_tr128", "down_tr256", "down_tr512")
_UP = ("up_tr256", "up_tr128", "up_tr64")


class UNet3DEncoder(Encoder):
    """Four levels of two convolutions, the second twice as wide; maxima of 2 between them."""

    strides = (1, 2, 4, 8)
    bottleneck = 2

    def __init__(self, width: int, in_channels: int) -> None:
        super().__init__()
        self.channels = tuple(2 * width * stride for stride in self.strides)
        self.stages = [(f"{name}.",) for name in _DOWN]
        before = (in_channels, *self.channels)
        for name, channels, out_channels in zip(_DOWN, before, self.channels, strict=False):
            self.add_module(name, _level(channels, out_channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        maps: list[Tensor] = []
        for name in _DOWN:
            x = F.max_pool3d(x, 2) if maps else x
            x = self.get_submodule(name)(x)
            maps.append(x)
        return maps


class UNet3DDecoder(Decoder):
    """The way up, `up_tr256` to `up_tr64`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_channels = 2 * width
        self.stages = [(f"{name}.",) for name in _UP]
        for name, skip in zip(_UP, (8 * width, 4 * width, 2 * width), strict=True):
            self.add_module(name, _UpLevel(skip))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for name, skip in zip(_UP, reversed(skips), strict=True):
            x = self.get_submodule(name)(x, skip)
        return x


def _level(channels: int, out_channels: int) -> nn.Sequential:
    """Two convolutions, the second twice as wide."""
    between = out_channels // 2
    convolutions = nn.Sequential(
        _convolution(channels, between), _convolution(between, out_channels)
    )
    return layers(ops=convolutions)


class _UpLevel(nn.Module):
    """Transposed convolution that keeps the width, skip, two convolutions.

    Args:
        width: of the skip and of the result; the level below is twice as wide.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up_conv = nn.ConvTranspose3d(2 * width, 2 * width, kernel_size=2, stride=2)
        self.ops = nn.Sequential(_convolution(3 * width, width), _convolution(width, width))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(b, 2 · width, …) and its skip → (b, width, …), twice as fine."""
        result: Tensor = self.ops(torch.cat([self.up_conv(x), skip], dim=1))
        return result


def _convolution(channels: int, out_channels: int) -> nn.Sequential:
    """3x3x3 convolution, norm, ReLU."""
    convolve = nn.Conv3d(channels, out_channels, 3, padding=1)
    return layers(conv1=convolve, bn1=ContinualBatchNorm3d(out_channels), active=nn.ReLU())


class ContinualBatchNorm3d(nn.BatchNorm3d):
    """Batch norm that takes its statistics from what it is given in evaluation, too.

    As published, a window's result then depends on which windows share its batch. Here
    evaluation takes each volume alone: the published network at a sliding window's batch of 1,
    whatever the batch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, track_running_stats=False)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, d, h, w), normalised."""
        if self.training:
            return super().forward(x)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


UNET3D = Architecture(
    "unet3d",
    {"tiny": 8, "base": 32},  # base is the published one, 19.08M parameters with its head
    lambda width, channels: Backbone(UNet3DEncoder(width, channels), UNet3DDecoder(width)),
)
