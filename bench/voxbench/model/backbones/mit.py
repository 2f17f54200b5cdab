"""MiT, UniMiSS's pyramid transformer (Xie et al., ECCV 2022), with its published key names.

It is the network of its fine-tuning on volumes: pre-training's class tokens and its patch
embeddings of 2D images are gone. Position embeddings belong to pre-training's 16x96x96 patches;
for others they are resized when the network runs, linearly along each axis, as pre-training's
code does in a plane (its fine-tuning stretches the flat list of tokens instead).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, layers


class _Size(NamedTuple):
    """Transformer blocks a level on the way down, and on the way up."""

    down: tuple[int, int, int, int]
    up: tuple[int, int, int]


_STEM = 32
_WIDTHS = (48, 128, 256, 512)
_REDUCTIONS = (6, 4, 2, 1)
_HEADS = (1, 2, 4, 8)
_GRIDS = ((8, 24, 24), (4, 12, 12), (2, 6, 6), (1, 3, 3))  # tokens in pre-training

_UP_WIDTHS = (256, 128, 48)
_UP_REDUCTIONS = (2, 4, 6)
_UP_HEADS = (8, 4, 2)
_UP_GRIDS = _GRIDS[2::-1]


class MiTEncoder(Encoder):
    """A convolutional stem, which keeps the first axis, and four levels of transformer blocks."""

    channels = (_STEM, *_WIDTHS)
    strides = (2, 4, 8, 16, 32)  # half of it along the first axis

    def __init__(self, size: _Size, in_channels: int) -> None:
        super().__init__()
        self.patch_embed0 = _convolution(in_channels, _STEM, 7, (1, 2, 2))
        self.stages = [("patch_embed0.",)]
        levels = zip(_WIDTHS, _GRIDS, _HEADS, _REDUCTIONS, size.down, strict=True)
        before = _STEM
        for i, (width, grid, heads, reduction, count) in enumerate(levels, start=1):
            self.add_module(f"patch_embed{i}", layers(proj=_convolution(before, width, 3, 2)))
            self.register_parameter(f"pos_embed{i}", _positions(grid, width))
            blocks = (_Block(width, heads, reduction, True, 1e-6) for _ in range(count))
            self.add_module(f"block{i}", nn.ModuleList(blocks))
            self.stages.append((f"patch_embed{i}.", f"pos_embed{i}", f"block{i}."))
            before = width
        self.apply(_initialise)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        maps = [self.patch_embed0(x)]
        for i, grid in enumerate(_GRIDS, start=1):
            x = self.get_submodule(f"patch_embed{i}")(maps[-1])
            x = x + resized(self.get_parameter(f"pos_embed{i}"), grid, x.shape[2:])
            maps.append(_transformed(x, self.get_submodule(f"block{i}")))
        return maps


class MiTDecoder(Decoder):
    """Three levels of transformer blocks with added skips, then one of a convolution."""

    out_channels = _STEM

    def __init__(self, size: _Size) -> None:
        super().__init__()
        self.stages = []
        levels = zip(_UP_WIDTHS, _UP_GRIDS, _UP_HEADS, _UP_REDUCTIONS, size.up, strict=True)
        below = _WIDTHS[-1]
        for i, (width, grid, heads, reduction, count) in enumerate(levels):
            self.add_module(f"DecEmbed{i}", layers(proj=nn.ConvTranspose3d(below, width, 2, 2)))
            self.register_parameter(f"DecPosEmbed{i}", _positions(grid, width))
            blocks = (_Block(width, heads, reduction, False, 1e-5) for _ in range(count))
            self.add_module(f"Decblock{i}", nn.ModuleList(blocks))
            self.stages.append((f"DecEmbed{i}.", f"DecPosEmbed{i}", f"Decblock{i}."))
            below = width
        self.norm = nn.LayerNorm(below)
        self.transposeconv_stage3 = nn.ConvTranspose3d(below, _STEM, kernel_size=2, stride=2)
        self.stage3_de = _convolution(_STEM, _STEM, 3)
        self.stages.append(("norm.", "transposeconv_stage3.", "stage3_de."))
        self.apply(_initialise)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        stem, *skips, x = maps
        for i, (grid, skip) in enumerate(zip(_UP_GRIDS, reversed(skips), strict=True)):
            x = self.get_submodule(f"DecEmbed{i}")(x) + skip
            x = x + resized(self.get_parameter(f"DecPosEmbed{i}"), grid, x.shape[2:])
            x = _transformed(x, self.get_submodule(f"Decblock{i}"))
        x = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        x = self.stage3_de(self.transposeconv_stage3(x) + stem)
        return F.interpolate(x, scale_factor=(1.0, 2.0, 2.0), mode="trilinear")


def _convolution(
    channels: int, out_channels: int, kernel: int, stride: int | tuple[int, int, int] = 1
) -> nn.Sequential:
    """Convolution, instance norm, leaky ReLU."""
    return layers(
        conv=nn.Conv3d(channels, out_channels, kernel, stride, kernel // 2, bias=False),
        norm=nn.InstanceNorm3d(out_channels, affine=True),
        active=nn.LeakyReLU(),
    )


class _Block(nn.Module):
    """Attention and a perceptron four times as wide, each normalised first and added.

    Args:
        width: of the tokens.
        heads: of the attention.
        reduction: voxels a side that share a key and a value.
        bias: of queries, keys and values.
        eps: of the two norms.
    """

    def __init__(self, width: int, heads: int, reduction: int, bias: bool, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps)
        self.attn = _Attention(width, heads, reduction, bias)
        self.norm2 = nn.LayerNorm(width, eps)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)}
        )

    def forward(self, x: Tensor, grid: Sequence[int]) -> Tensor:
        """Tokens (b, n, width) of a grid (d, h, w) → the same shape."""
        x = x + self.attn(self.norm1(x), grid)
        result: Tensor = x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))
        return result


class _Attention(nn.Module):
    """Attention whose keys and values a strided convolution thins out (Wang et al., PVT, 2021)."""

    def __init__(self, width: int, heads: int, reduction: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias)
        self.kv = nn.Linear(width, 2 * width, bias)
        self.proj = nn.Linear(width, width)
        self.reduced = reduction > 1
        if self.reduced:
            self.sr = nn.Conv3d(width, width, reduction, reduction)
            self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, grid: Sequence[int]) -> Tensor:
        """Tokens (b, n, width) of a grid (d, h, w) → the same shape."""
        few = x
        if self.reduced:
            few = self.sr(x.mT.reshape(len(x), -1, *grid))
            few = self.norm(few.flatten(2).mT)
        parts = (self.q(x), *self.kv(few).chunk(2, dim=-1))
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v)
        result: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return result


def _transformed(x: Tensor, blocks: nn.Module) -> Tensor:
    """A map (b, c, d, h, w) through transformer blocks, voxels as tokens."""
    grid = x.shape[2:]
    tokens = x.flatten(2).mT
    for block in blocks.children():
        tokens = block(tokens, grid)
    return tokens.mT.reshape(x.shape)


def _positions(grid: tuple[int, int, int], width: int) -> nn.Parameter:
    """Random embeddings (1, d * h * w, width) of a grid."""
    embedding = torch.empty(1, grid[0] * grid[1] * grid[2], width)
    return nn.Parameter(nn.init.trunc_normal_(embedding, std=0.02))


def resized(embedding: Tensor, grid: tuple[int, int, int], wanted: torch.Size) -> Tensor:
    """Embeddings (1, n, width) of a grid, linearly brought to another: (1, width, d, h, w)."""
    return F.interpolate(embedding.mT.reshape(1, -1, *grid), size=wanted, mode="trilinear")


def _initialise(module: nn.Module) -> None:
    """The published starting weights of a layer."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")


MIT = Architecture(
    "mit",
    {"tiny": _Size((1, 1, 1, 1), (1, 1, 1)), "small": _Size((2, 3, 4, 3), (3, 4, 3))},
    lambda size, channels: Backbone(MiTEncoder(size, channels), MiTDecoder(size)),
)
