"""deepbet's 3D LinkNet under its published names (Chaurasia and Culurciello, 2017)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers, maps_of

_LAST = 8  # channels at half resolution
_LOGITS = 2  # brain or not, at full resolution


class LinkNetEncoder(Encoder):
    """A ResNet-18 with instance norm: `init`, then `down0` … of two residual blocks each."""

    bottleneck = 2

    def __init__(self, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = (widths[0], *widths)
        self.strides = (4, *(4 * 2**level for level in range(len(widths))))
        stem = nn.Conv3d(in_channels, widths[0], 7, 2, padding=3, bias=False)
        pool = nn.MaxPool3d(3, 2, padding=1)
        self.init = nn.Sequential(stem, nn.InstanceNorm3d(widths[0]), nn.ReLU(), pool)
        self.downs = tuple(f"down{level}" for level in range(len(widths)))
        before = widths[0]
        for level, (name, width) in enumerate(zip(self.downs, widths, strict=True)):
            self.add_module(name, _down(before, width, 2 if level else 1))
            before = width
        self.stages = [("init.",), *((f"{name}.",) for name in self.downs)]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = self.init(x)
        return [x, *maps_of([self.get_submodule(name) for name in self.downs], x)]


def _down(channels: int, width: int, stride: int) -> nn.Sequential:
    """Two residual blocks, the first of which may halve."""
    return layers(block1=_Block(channels, width, stride), block2=_Block(width, width, 1))


class _Block(nn.Module):
    """He et al.'s basic block."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv3d(channels, width, 3, stride, padding=1, bias=False),
            nn.InstanceNorm3d(width),
            nn.ReLU(),
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            nn.InstanceNorm3d(width),
        )
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            shortcut = nn.Conv3d(channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.InstanceNorm3d(width))

    def forward(self, x: Tensor) -> Tensor:
        """The block, plus its input."""
        return F.relu(self.double_conv(x) + self.downsample(x))


class LinkNetDecoder(Decoder):
    """`up0` … add the encoder's maps; `tp_conv1` and `conv` work at half resolution.

    The features are those eight, repeated, and the two logits of `tp_conv2`, which the published
    network ends with.
    """

    out_channels = _LAST + _LOGITS

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        after = (*reversed(widths[:-1]), widths[0])
        self.ups = tuple(f"up{level}" for level in range(len(widths)))
        for level, name in enumerate(self.ups):
            before = widths[-1 - level]
            self.add_module(name, _up(before, after[level], 1 if name == self.ups[-1] else 2))
        self.tp_conv1 = _normalised(_enlarge(widths[0], _LAST, 2, bias=True), _LAST)
        self.conv = _normalised(nn.Conv3d(_LAST, _LAST, 3, padding=1), _LAST)
        self.tp_conv2 = nn.ConvTranspose3d(_LAST, _LOGITS, 2, 2)
        self.stages = [(f"{name}.",) for name in self.ups]
        self.stages.append(("tp_conv1.", "conv.", "tp_conv2."))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for name, skip in zip(self.ups, reversed(skips), strict=True):
            x = self.get_submodule(name)(x) + skip
        half = self.conv(self.tp_conv1(x))
        return torch.cat([F.interpolate(half, scale_factor=2.0), self.tp_conv2(half)], dim=1)


def _up(channels: int, width: int, stride: int) -> nn.Sequential:
    """Squeeze to a quarter, enlarge `stride` times, widen."""
    inner = channels // 4
    return layers(
        conv1=_normalised(nn.Conv3d(channels, inner, 1, bias=False), inner),
        tp_conv=_normalised(_enlarge(inner, inner, stride, bias=False), inner),
        conv2=_normalised(nn.Conv3d(inner, width, 1, bias=False), width),
    )


def _enlarge(channels: int, width: int, stride: int, *, bias: bool) -> nn.Module:
    return nn.ConvTranspose3d(
        channels, width, 3, stride, padding=1, output_padding=stride - 1, bias=bias
    )


def _normalised(layer: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.InstanceNorm3d(width), nn.ReLU())


LINKNET = Architecture(
    "linknet",
    {"base": (16, 32, 64, 128)},  # deepbet's, 2.2M parameters
    lambda widths, channels: Backbone(LinkNetEncoder(channels, widths), LinkNetDecoder(widths)),
)
