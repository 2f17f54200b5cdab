"""MedNeXt (Roy et al., MICCAI 2023), with the key names of its authors' code.

But what they call `bottleneck` is `enc_block_4` here, and their heads, `out_0` to `out_4`, and
`dummy_tensor` are no part of it. Kernels of 5 are sizes of their own, as their tensors have other
shapes.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder


class _Size(NamedTuple):
    """Channels of the finest level; blocks and expansions, down to the bottleneck; kernel.

    On the way up they are the same in reverse.
    """

    width: int
    blocks: tuple[int, ...]
    expansions: tuple[int, ...]
    kernel: int = 3

    @property
    def channels(self) -> tuple[int, ...]:
        """Of every level."""
        return tuple(self.width * 2**level for level in range(len(self.blocks)))


class MedNeXtEncoder(Encoder):
    """A 1x1x1 stem, then levels of blocks; between them blocks that halve."""

    bottleneck = 2

    def __init__(self, size: _Size, in_channels: int) -> None:
        super().__init__()
        self.channels = size.channels
        self.strides = tuple(2**level for level in range(len(self.channels)))
        self.stem = nn.Conv3d(in_channels, size.width, kernel_size=1)
        self.stages = [("stem.",)]
        for level, width in enumerate(self.channels):
            down, blocks = f"down_{level - 1}", f"enc_block_{level}"
            if level:
                before, expansion = self.channels[level - 1], size.expansions[level]
                halve = nn.Conv3d(before, before, size.kernel, 2, size.kernel // 2, groups=before)
                shortcut = nn.Conv3d(before, width, kernel_size=1, stride=2)
                self.add_module(down, _Block(halve, width, expansion, shortcut))
            self.add_module(blocks, _level(size, level))
            self.stages.append((f"{down}.", f"{blocks}.") if level else (f"{blocks}.",))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = self.stem(x)
        maps = []
        for level in range(len(self.channels)):
            if level:
                x = self.get_submodule(f"down_{level - 1}")(x)
            x = self.get_submodule(f"enc_block_{level}")(x)
            maps.append(x)
        return maps


class MedNeXtDecoder(Decoder):
    """Blocks that double, the skip added, levels of blocks."""

    def __init__(self, size: _Size) -> None:
        super().__init__()
        channels = size.channels
        self.out_channels = size.width
        self.widths = tuple(channels[:-1])
        self.scales = tuple((2**level,) * 3 for level in range(len(self.widths)))
        self.levels = list(reversed(range(len(channels) - 1)))
        self.stages = [(f"up_{level}.", f"dec_block_{level}.") for level in self.levels]
        for level in self.levels:
            below, width = channels[level + 1], channels[level]
            padding = size.kernel // 2
            double = nn.ConvTranspose3d(below, below, size.kernel, 2, padding, groups=below)
            shortcut = nn.ConvTranspose3d(below, width, kernel_size=1, stride=2)
            self.add_module(f"up_{level}", _Block(double, width, size.expansions[level], shortcut))
            self.add_module(f"dec_block_{level}", _level(size, level))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        return self.pyramid(maps)[0]

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps, finest first → features of every level, finest first."""
        x = maps[-1]
        found = []
        for level in self.levels:
            x = maps[level] + self.get_submodule(f"up_{level}")(x)
            x = self.get_submodule(f"dec_block_{level}")(x)
            found.append(x)
        return found[::-1]


class _Block(nn.Module):
    """A convolution a channel, norm, expansion, GELU, compression; beside a shortcut.

    Args:
        conv1: the convolution of each channel, which may change the resolution.
        out_channels: of the result.
        expansion: of the channels.
        res_conv: a shortcut that changes the resolution as `conv1` does.
    """

    def __init__(
        self,
        conv1: nn.Conv3d | nn.ConvTranspose3d,
        out_channels: int,
        expansion: int,
        res_conv: nn.Module | None = None,
    ) -> None:
        super().__init__()
        channels = conv1.in_channels
        self.conv1 = conv1
        self.norm = nn.GroupNorm(channels, channels)
        self.conv2 = nn.Conv3d(channels, expansion * channels, kernel_size=1)
        self.conv3 = nn.Conv3d(expansion * channels, out_channels, kernel_size=1)
        self.res_conv = res_conv
        # an odd kernel doubles a side less one voxel, which is filled up with zeros in front
        self.filled = (1, 0) * 3 if isinstance(conv1, nn.ConvTranspose3d) else (0, 0) * 3

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → (b, out_channels, …)."""
        y = self.conv3(F.gelu(self.conv2(self.norm(self.conv1(x)))))
        return F.pad(y + (self.res_conv(x) if self.res_conv else x), self.filled)


def _level(size: _Size, level: int) -> nn.Sequential:
    """The blocks of a level, which keep width and resolution."""
    width = size.channels[level]
    return nn.Sequential(
        *(
            _Block(
                nn.Conv3d(width, width, size.kernel, 1, size.kernel // 2, groups=width),
                width,
                size.expansions[level],
            )
            for _ in range(size.blocks[level])
        )
    )


_NARROW, _WIDE = (2, 3, 4, 4, 4), (3, 4, 8, 8, 8)
_PUBLISHED = {
    "small": _Size(32, (2,) * 5, (2,) * 5),
    "base": _Size(32, (2,) * 5, _NARROW),
    "medium": _Size(32, (3, 4, 4, 4, 4), _NARROW),
    "large": _Size(32, (3, 4, 8, 8, 8), _WIDE),
}
MEDNEXT = Architecture(
    "mednext",
    {
        "tiny": _Size(8, (1, 1, 1), (2, 2, 2)),  # ours, for trials
        **_PUBLISHED,
        **{f"{name}-k5": size._replace(kernel=5) for name, size in _PUBLISHED.items()},
    },
    lambda size, channels: Backbone(MedNeXtEncoder(size, channels), MedNeXtDecoder(size)),
)
