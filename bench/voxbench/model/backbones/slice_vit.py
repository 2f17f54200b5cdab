"""A DINOv3 vision transformer (Siméoni et al., 2025) for slice after slice, with its key names.

The slices are those across the first axis. As MedDINOv3 does, maps of four blocks, each normalised,
are put side by side; its decoder sees a slice alone, ours mixes neighbouring ones. It runs without
the stochastic depth of its training.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.model.backbones.decoder import convolution


class _Size(NamedTuple):
    """Width of the tokens, heads of the attention, blocks, and which of these give maps."""

    width: int
    heads: int
    depth: int
    taken: tuple[int, ...]


_SIDE = 16  # voxels of a token, within its slice
_REGISTERS = 4
_SLOWEST = 100.0  # of the rotations' periods, in half slices
_SCALE = 1e-5  # of every block's branches, at the start
_WIDTHS = (256, 128, 64, 32)


class SliceViTEncoder(Encoder):
    """Squares of a slice as tokens, a class token and registers, and blocks that keep them."""

    strides = (_SIDE,)  # within the slice; across, the map has every one

    def __init__(self, size: _Size, in_channels: int) -> None:
        super().__init__()
        self.taken = size.taken
        self.channels = (size.width * len(size.taken),)
        embed = nn.Conv2d(in_channels, size.width, _SIDE, _SIDE)
        self.patch_embed = nn.ModuleDict({"proj": embed})
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, size.width))
        self.storage_tokens = nn.Parameter(0.02 * torch.randn(1, _REGISTERS, size.width))
        self.rope_embed = _Rotations(size.width // size.heads)
        self.blocks = nn.ModuleList(_Block(size.width, size.heads) for _ in range(size.depth))
        self.norm = nn.LayerNorm(size.width, eps=1e-6)
        self.stages = [
            ("patch_embed.", "cls_token", "storage_tokens"),
            *((f"blocks.{i}.",) for i in range(size.depth)),
            ("norm.",),
        ]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → the only map, (b, maps * width, d, h / 16, w / 16)."""
        batch = len(x)
        squares = self.patch_embed["proj"](x.transpose(1, 2).flatten(0, 1))
        height, width = squares.shape[2:]
        first = torch.cat([self.cls_token, self.storage_tokens], dim=1)
        tokens = torch.cat([first.expand(len(squares), -1, -1), squares.flatten(2).mT], dim=1)
        turns = self.rope_embed(height, width)
        taken = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, turns)
            if number in self.taken:
                taken.append(self.norm(tokens)[:, first.shape[1] :])
        maps = torch.cat(taken, dim=2).mT.unflatten(2, (height, width))  # type: ignore[no-untyped-call]
        return [maps.unflatten(0, (batch, -1)).transpose(1, 2)]


class SliceDecoder(Decoder):
    """Four transposed convolutions that double within the slice, 3x3x3 convolutions between."""

    out_channels = _WIDTHS[-1]

    def __init__(self, channels: int) -> None:
        super().__init__()
        before = (channels, *_WIDTHS)
        self.ups = nn.ModuleList(
            nn.ConvTranspose3d(before[i], width, kernel_size=(1, 2, 2), stride=(1, 2, 2))
            for i, width in enumerate(_WIDTHS)
        )
        self.blocks = nn.ModuleList(convolution(width, width) for width in _WIDTHS)
        self.stages = [(f"ups.{i}.", f"blocks.{i}.") for i in range(len(_WIDTHS))]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """The map → features at the image's resolution."""
        x = maps[-1]
        for up, block in zip(self.ups, self.blocks, strict=True):
            x = block(up(x))
        return x


class _Rotations(nn.Module):
    """Rotary positions: a token's place in the slice, from -1 to 1 along both axes.

    They are computed in bfloat16, as in the training of the published weights.
    """

    periods: Tensor

    def __init__(self, head_width: int) -> None:
        super().__init__()
        count = head_width // 4
        self.register_buffer("periods", _SLOWEST ** (torch.arange(count) / count))

    def forward(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Sines and cosines (height * width, head_width / 2) of the angles of each token."""
        periods = self.periods.bfloat16()
        axes = [
            2 * (torch.arange(0.5, side, dtype=torch.bfloat16, device=periods.device) / side) - 1
            for side in (height, width)
        ]
        places = torch.cartesian_prod(*axes)
        angles = (2 * torch.pi * places[:, :, None] / periods).flatten(1)
        return angles.sin(), angles.cos()


class _Block(nn.Module):
    """Attention and a perceptron, each normalised first, scaled and added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = _Attention(width, heads)
        self.ls1 = _Scale(width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.ModuleDict(
            {"fc1": _linear(width, 4 * width), "fc2": _linear(4 * width, width)}
        )
        self.ls2 = _Scale(width)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """Tokens (b, n, width) → the same shape."""
        x = x + self.ls1(self.attn(self.norm1(x), turns))
        hidden = F.gelu(self.mlp["fc1"](self.norm2(x)))
        result: Tensor = x + self.ls2(self.mlp["fc2"](hidden))
        return result


class _Attention(nn.Module):
    """Attention with rotary positions of the squares; other tokens have none."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = _linear(width, 3 * width, bias=False)
        self.proj = _linear(width, width)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """Tokens (b, n, width) → the same shape."""
        parts = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = (_turned(part, *turns) for part in parts[:2])
        mixed = F.scaled_dot_product_attention(q, k, parts[2])
        result: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return result


def _turned(x: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """Channels (b, heads, n, head_width), whose halves are pairs; the first tokens stay."""
    rounded = x.to(sine.dtype)
    still = x.shape[2] - len(sine)
    first, second = rounded[:, :, still:].chunk(2, dim=-1)
    pair = (first * cosine - second * sine, second * cosine + first * sine)
    return torch.cat([rounded[:, :, :still], torch.cat(pair, dim=-1)], dim=2).to(x.dtype)


class _Scale(nn.Module):
    """A factor a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), _SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → the same shape."""
        return x * self.gamma


def _linear(width: int, out_width: int, bias: bool = True) -> nn.Linear:
    """A layer that starts with small weights and no bias."""
    layer = nn.Linear(width, out_width, bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


SLICE_VIT = Architecture(
    "slice-vit",
    {
        "tiny": _Size(48, 3, 2, (0, 1)),  # ours, for trials
        "base": _Size(768, 12, 12, (2, 5, 8, 11)),  # ViT-B/16
    },
    lambda size, channels: Backbone(
        SliceViTEncoder(size, channels), SliceDecoder(size.width * len(size.taken))
    ),
)
