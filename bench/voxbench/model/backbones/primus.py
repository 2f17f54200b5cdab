"""Primus (Wald et al., 2025), with the key names of nnssl's checkpoints.

A transformer that sees 8x8x8 voxels as a token: EVA-02's blocks (Fang et al., 2023), then
transposed convolutions. Learnt position embeddings belong to pre-training's patches, 160x160x160
or 64x64x64; for others they are resized linearly when the network runs, as nnU-Net does. Rotary
embeddings count tokens, on any grid. Tokens are in the order in which all but one of the released
networks (SimMIM's) were trained, the second axis outermost; later versions of the code undid that
swap. It runs without the stochastic depth of 0.2 of their training.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder


class PrimusSize(NamedTuple):
    """Width of the tokens, heads of the attention, blocks, tokens a side in pre-training."""

    width: int
    heads: int
    depth: int
    side: int = 20


_SIDE = 8  # voxels of a token
_SCALE = 0.1  # of every block's branches, at the start
_OUT = 16
_SLOWEST = 10_000  # tokens over which the slowest rotation turns by one, about


class PrimusEncoder(Encoder):
    """Cubes of voxels as tokens, and transformer blocks that keep their number."""

    strides = (_SIDE,)

    def __init__(self, size: PrimusSize, in_channels: int) -> None:
        super().__init__()
        self.channels = (size.width,)
        embed = _started(nn.Conv3d(in_channels, size.width, _SIDE, _SIDE))
        self.down_projection = nn.ModuleDict({"proj": embed})
        self.eva = Eva(size)
        self.stages = [
            ("down_projection.", "eva.pos_embed"),
            *((f"eva.blocks.{i}.",) for i in range(size.depth)),
            ("eva.norm.",),
        ]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → the only map, (b, width, d / 8, h / 8, w / 8)."""
        x = self.down_projection["proj"](x).transpose(2, 3)
        return [self.eva(x).transpose(2, 3)]


class PrimusDecoder(Decoder):
    """Three transposed convolutions that double, layer norm and GELU between them.

    As published for 16 outputs: so many features, of which the head mixes the classes, and
    widths that fall evenly to twice as many.
    """

    out_channels = _OUT

    def __init__(self, width: int) -> None:
        super().__init__()
        fall = (width / (2 * _OUT)) ** (1 / 3)
        middle = [8 * max(1, round(width / fall**i / 8)) for i in (1, 2)]
        levels: list[nn.Module] = [
            nn.Sequential(_doubled(before, after), _ChannelNorm(after, eps=1e-6), nn.GELU())
            for before, after in pairwise((width, *middle))
        ]
        decode = nn.Sequential(*levels, _doubled(middle[-1], _OUT))
        self.up_projection = nn.ModuleDict({"decode": decode})
        self.stages = [(f"up_projection.decode.{i}.",) for i in range(len(decode))]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """The map → features at the image's resolution."""
        features: Tensor = self.up_projection["decode"](maps[-1])
        return features


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each voxel."""

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → the same shape."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Eva(nn.Module):
    """Learnt positions, EVA-02's blocks and a last norm."""

    def __init__(self, size: PrimusSize) -> None:
        super().__init__()
        self.grid = (size.side,) * 3
        embedding = torch.empty(1, size.side**3, size.width)
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(embedding, std=0.02))
        depths = range(1, size.depth + 1)
        self.blocks = nn.ModuleList(_Block(size.width, size.heads, depth) for depth in depths)
        self.norm = nn.LayerNorm(size.width)
        self.head_width = size.width // size.heads

    def forward(self, x: Tensor) -> Tensor:
        """A map (b, width, …) of any grid → the same shape."""
        positions = self.pos_embed.mT.reshape(1, -1, *self.grid)
        if x.shape[2:] != self.grid:
            positions = F.interpolate(positions, size=x.shape[2:], mode="trilinear")
        turns = _rotations(x.shape[2:], self.head_width).to(x.device)
        tokens = (x + positions).flatten(2).mT
        for block in self.blocks:
            tokens = block(tokens, turns)
        result: Tensor = self.norm(tokens).mT.reshape(x.shape)
        return result


class _Block(nn.Module):
    """Attention and a gated perceptron, each normalised first, scaled and added.

    Args:
        width: of the tokens.
        heads: of the attention.
        depth: of the block, from 1; deeper ones start with smaller last weights.
    """

    def __init__(self, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.gamma_1 = nn.Parameter(torch.full((width,), _SCALE))
        self.norm1 = nn.LayerNorm(width)
        self.attn = _Attention(width, heads)
        self.gamma_2 = nn.Parameter(torch.full((width,), _SCALE))
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _Perceptron(width, int(width * 4 * 2 / 3))
        for last in (self.attn.proj, self.mlp.fc2):
            last.weight.data /= (2 * depth) ** 0.5

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        """Tokens (b, n, width) → the same shape."""
        x = x + self.gamma_1 * self.attn(self.norm1(x), turns)
        result: Tensor = x + self.gamma_2 * self.mlp(self.norm2(x))
        return result


class _Attention(nn.Module):
    """Attention with rotary positions, keys without a bias, a norm before the last layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = _linear(width, width)
        self.k_proj = _linear(width, width, bias=False)
        self.v_proj = _linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.proj = _linear(width, width)

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        """Tokens (b, n, width) → the same shape."""
        parts = (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(_turned(q, turns), _turned(k, turns), v)
        result: Tensor = self.proj(self.norm(mixed.transpose(1, 2).flatten(2)))
        return result


class _Perceptron(nn.Module):
    """SwiGLU (Shazeer, 2020) with a norm before its last layer."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1_g = _linear(width, hidden)
        self.fc1_x = _linear(width, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.fc2 = _linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → the same shape."""
        result: Tensor = self.fc2(self.norm(F.silu(self.fc1_g(x)) * self.fc1_x(x)))
        return result


def _rotations(grid: Sequence[int], head_width: int) -> Tensor:
    """Angles (n, head_width / 2) by which neighbouring pairs of a head's channels are turned.

    A third of the pairs turns with the token's place along each axis, from one radian a token
    down to one in 10,000 tokens (Su et al., RoFormer, 2021).
    """
    pairs = head_width // 6
    speeds = _SLOWEST ** -(torch.arange(pairs) / pairs)
    places = torch.cartesian_prod(*(torch.arange(float(side)) for side in grid))
    return (places[:, :, None] * speeds).flatten(1)


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    """Channels (b, heads, n, head_width), each pair of neighbours turned by its angle."""
    sine, cosine = turns.sin().to(x.dtype), turns.cos().to(x.dtype)
    first, second = x[..., ::2], x[..., 1::2]
    pair = (first * cosine - second * sine, second * cosine + first * sine)
    return torch.stack(pair, dim=-1).flatten(-2)


def _doubled(width: int, out_width: int) -> nn.Module:
    """A transposed convolution that doubles."""
    return _started(nn.ConvTranspose3d(width, out_width, kernel_size=2, stride=2))


def _started(layer: nn.Conv3d | nn.ConvTranspose3d) -> nn.Module:
    """With He's weights and no bias."""
    nn.init.kaiming_normal_(layer.weight, a=1e-2)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _linear(width: int, out_width: int, bias: bool = True) -> nn.Linear:
    """A layer that starts with small weights and no bias."""
    layer = nn.Linear(width, out_width, bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


PRIMUS = Architecture(
    "primus",
    {
        "tiny": PrimusSize(192, 4, 4),  # ours, for trials
        "small": PrimusSize(396, 6, 12),
        "base": PrimusSize(792, 12, 12),
        "medium": PrimusSize(864, 12, 16),
        "medium-64": PrimusSize(864, 12, 16, side=8),  # Primus-M pre-trained on 64x64x64
        "large": PrimusSize(1056, 16, 24),
    },
    lambda size, channels: Backbone(PrimusEncoder(size, channels), PrimusDecoder(size.width)),
)
