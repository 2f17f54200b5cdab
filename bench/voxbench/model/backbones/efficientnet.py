"""EfficientNet-Lite0 in 3D with the key names of its 2D package (Tan and Le, 2019)."""

from itertools import pairwise
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Encoder
from voxbench.model.backbones.decoder import decoded
from voxbench.model.backbones.norm import SmallBatchNorm3d


class _Stage(NamedTuple):
    """Blocks of one width; the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


_STEM = 32
_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class EfficientNetEncoder(Encoder):
    """Stem and blocks, without `_conv_head` and classifier; a map before every halving."""

    channels = (16, 24, 40, 112, 320)
    strides = (2, 4, 8, 16, 32)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self._conv_stem = SameConv3d(in_channels, _STEM, 3, 2)
        self._bn0 = _norm(_STEM)
        blocks: list[_Block] = []
        width = _STEM
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                blocks.append(_Block(width, stage, 1 if repeat else stage.stride))
                width = stage.width
        self._blocks = nn.ModuleList(blocks)
        starts = [0, *(i for i, block in enumerate(blocks) if block.stride > 1), len(blocks)]
        self.taps = [start - 1 for start in starts[1:]]
        self.stages = [tuple(f"_blocks.{i}." for i in range(*pair)) for pair in pairwise(starts)]
        self.stages[0] = ("_conv_stem.", "_bn0.", *self.stages[0])

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = F.relu6(self._bn0(self._conv_stem(x)))
        maps = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in self.taps:
                maps.append(x)
        return maps


class _Block(nn.Module):
    """Inverted bottleneck: expand, depthwise, project; no squeeze-and-excitation in Lite."""

    def __init__(self, channels: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.residual = stride == 1 and channels == stage.width
        inner = channels * stage.expansion
        self.expands = stage.expansion > 1
        if self.expands:
            self._expand_conv = nn.Conv3d(channels, inner, 1, bias=False)
            self._bn0 = _norm(inner)
        self._depthwise_conv = SameConv3d(inner, inner, stage.kernel, stride, groups=inner)
        self._bn1 = _norm(inner)
        self._project_conv = nn.Conv3d(inner, stage.width, 1, bias=False)
        self._bn2 = _norm(stage.width)

    def forward(self, x: Tensor) -> Tensor:
        """The block, plus its input where the shape allows."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        projected: Tensor = self._bn2(self._project_conv(y))
        return projected + x if self.residual else projected


class SameConv3d(nn.Conv3d):
    """TensorFlow's "same" padding, which the weights were trained with: the rest goes behind."""

    def __init__(
        self, channels: int, out_channels: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__(channels, out_channels, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pad so that n voxels become ceil(n / stride)."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        around = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:]]
        padding = [side for p in reversed(around) for side in (p // 2, p - p // 2)]
        return super().forward(F.pad(x, padding))


def _norm(channels: int) -> nn.Module:
    return SmallBatchNorm3d(channels, eps=1e-3)


EFFICIENTNET_LITE0 = Architecture(
    "efficientnet-lite0",
    {"lite0": None},
    lambda _, channels: decoded(EfficientNetEncoder(channels)),
)
