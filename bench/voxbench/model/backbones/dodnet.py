"""DoDNet's network (Zhang et al., CVPR 2021), with its published key names.

Residual blocks that normalise first; every convolution's weights are standardised (Qiao et al.,
2019).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, maps_of

_GROUPS = 16
_BLOCKS = (1, 2, 2, 2, 2)
_GROWTH = (1, 2, 4, 8, 8)
_UP = ("x8_resb", "x4_resb", "x2_resb", "x1_resb")


class DoDNetEncoder(Encoder):
    """`conv1`, `layer0` to `layer4`, and `fusionConv` on the coarsest map."""

    strides = (1, 2, 4, 8, 16)

    def __init__(self, width: int, in_channels: int) -> None:
        super().__init__()
        self.channels = tuple(width * growth for growth in _GROWTH)
        self.layers = tuple(f"layer{level}" for level in range(len(_GROWTH)))
        self.stages = [("conv1.",), *((f"{layer}.",) for layer in self.layers)]
        self.stages[-1] += ("fusionConv.",)
        self.conv1 = StandardisedConv3d(in_channels, width, 3)
        before = width
        for layer, channels, blocks in zip(self.layers, self.channels, _BLOCKS, strict=True):
            first = _Block(before, channels, 1 if layer == "layer0" else 2)
            rest = (_Block(channels, channels) for _ in range(blocks - 1))
            self.add_module(layer, nn.Sequential(first, *rest))
            before = channels
        self.fusionConv = _activated(before, before)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        levels = [self.get_submodule(layer) for layer in self.layers]
        *maps, x = maps_of(levels, self.conv1(x))
        return [*maps, self.fusionConv(x)]


class DoDNetDecoder(Decoder):
    """Level by level: linearly enlarged, skip added, one residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_channels = width
        self.stages = [(f"{name}.",) for name in _UP]
        for name, into, out in zip(_UP, (8, 4, 2, 1), (4, 2, 1, 1), strict=True):
            self.add_module(name, nn.Sequential(_Block(into * width, out * width)))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for name, skip in zip(_UP, reversed(skips), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="trilinear")
            x = self.get_submodule(name)(x + skip)
        return x


class _Block(nn.Module):
    """Group norm, ReLU, convolution, twice, beside a shortcut that is projected where it must."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.gn1 = nn.GroupNorm(_GROUPS, channels)
        self.conv1 = StandardisedConv3d(channels, out_channels, 3, stride)
        self.gn2 = nn.GroupNorm(_GROUPS, out_channels)
        self.conv2 = StandardisedConv3d(out_channels, out_channels, 3)
        changes = stride > 1 or channels != out_channels
        self.downsample = _activated(channels, out_channels, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → (b, out_channels, …)."""
        y = self.conv1(F.relu(self.gn1(x)))
        y = self.conv2(F.relu(self.gn2(y)))
        result: Tensor = y + (self.downsample(x) if self.downsample else x)
        return result


def _activated(channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Group norm, ReLU, 1x1x1 convolution."""
    convolution = StandardisedConv3d(channels, out_channels, 1, stride)
    return nn.Sequential(nn.GroupNorm(_GROUPS, channels), nn.ReLU(), convolution)


class StandardisedConv3d(nn.Conv3d):
    """A convolution whose weights have mean 0 and deviation 1 for each output channel."""

    def __init__(self, channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → (b, out_channels, …)."""
        var, mean = torch.var_mean(self.weight, dim=(1, 2, 3, 4), keepdim=True)
        weight = (self.weight - mean) * torch.rsqrt(var + 1e-12)
        return F.conv3d(x, weight, None, self.stride, self.padding)


DODNET = Architecture(
    "dodnet",
    {"tiny": 16, "base": 32},  # base is the published one, 17.29M parameters
    lambda width, channels: Backbone(DoDNetEncoder(width, channels), DoDNetDecoder(width)),
)
