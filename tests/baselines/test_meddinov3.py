"""MedDINOv3's teacher loads slice-wise, and gives the tokens it gave on each slice."""

from functools import cache
from math import pi

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.model.weights import read_weights
from voxbench_baselines.meddinov3 import MedDINOv3

from tests.baselines.layouts import State, fingerprint, loaded, probe, save, shapes

VIT_B, TINY = (768, 12, 16), (48, 2, 4)  # width, blocks, periods; the tiny one is for speed
HEADS = 3
REGISTERS = 4


def layout(width: int, blocks: int, periods: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the teacher's backbone."""
    made: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "storage_tokens": (1, REGISTERS, width),
        "mask_token": (1, width),
        "patch_embed.proj.weight": (width, 3, 16, 16),
        "patch_embed.proj.bias": (width,),
        "rope_embed.periods": (periods,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    linear = {"attn.proj": (width, width), "mlp.fc1": (4 * width, width)}
    linear["mlp.fc2"] = (width, 4 * width)
    for block in range(blocks):
        at = f"blocks.{block}"
        made[f"{at}.attn.qkv.weight"] = (3 * width, width)
        for name, shape in linear.items():
            made |= {f"{at}.{name}.weight": shape, f"{at}.{name}.bias": shape[:1]}
        for name in ("norm1", "norm2"):
            made |= {f"{at}.{name}.weight": (width,), f"{at}.{name}.bias": (width,)}
        made |= {f"{at}.ls1.gamma": (width,), f"{at}.ls2.gamma": (width,)}
    return made


@cache
def state() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    drawn = {
        name: float(name.endswith("weight") and len(shape) == 1)
        + torch.randn(shape, generator=random) * (0.3 if len(shape) == 1 else 0.1)
        for name, shape in layout(*TINY).items()
    }
    return drawn | {"rope_embed.periods": torch.tensor([1.0, 2.5, 6.25, 15.5]).bfloat16()}


def file(tmp_path) -> str:
    """As it is published: the teacher with the heads of its training."""
    backbone = {f"backbone.{name}": tensor for name, tensor in state().items()}
    heads = {"dino_head.mlp.0.weight": torch.ones(3), "ibot_head.mlp.0.weight": torch.ones(3)}
    return save(tmp_path / "model.pth", backbone | heads, "teacher")


def seen(image: Tensor, weights: State) -> Tensor:
    """Normalised tokens of both blocks for a slice (3, h, w), in float32: (2 * width, h', w')."""

    def norm(x: Tensor, name: str) -> Tensor:
        affine = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], *affine, eps=1e-6)

    def layer(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def turned(x: Tensor) -> Tensor:
        pairs = torch.complex(*x.chunk(2, dim=-1))
        for number in range(grid[0] * grid[1]):
            place = number // grid[1], number % grid[1]
            axes = [2 * (at + 0.5) / side - 1 for at, side in zip(place, grid, strict=True)]
            angles = torch.cat([2 * pi * at / periods for at in axes])
            pairs[:, 1 + REGISTERS + number] *= torch.polar(torch.ones_like(angles), angles)
        return torch.cat([pairs.real, pairs.imag], dim=-1)

    stem = "patch_embed.proj"
    x = F.conv2d(image[None], weights[f"{stem}.weight"], weights[f"{stem}.bias"], stride=16)
    grid, periods = x.shape[2:], weights["rope_embed.periods"].float()
    x = torch.cat([weights["cls_token"], weights["storage_tokens"], x.flatten(2).mT], 1)[0]
    maps = []
    for block in range(TINY[1]):
        at = f"blocks.{block}"
        qkv = layer(norm(x, f"{at}.norm1"), f"{at}.attn.qkv")
        q, k, v = (part.unflatten(1, (HEADS, -1)).transpose(0, 1) for part in qkv.chunk(3, 1))
        q, k = turned(q), turned(k)
        mixed = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
        mixed = layer(mixed.transpose(0, 1).flatten(1), f"{at}.attn.proj")
        x = x + weights[f"{at}.ls1.gamma"] * mixed
        hidden = F.gelu(layer(norm(x, f"{at}.norm2"), f"{at}.mlp.fc1"))
        x = x + weights[f"{at}.ls2.gamma"] * layer(hidden, f"{at}.mlp.fc2")
        maps.append(norm(x, "norm")[1 + REGISTERS :])
    return torch.cat(maps, 1).mT.unflatten(1, grid)


def test_its_network_is_the_published_one():
    """Of `vit_base` in its code at commit a2460c2, with the arguments of its demo."""
    assert fingerprint(layout(*VIT_B)) == (164, 3389833308)
    with torch.device("meta"):
        encoder = shapes(MedDINOv3().backbone(3).encoder)
    assert encoder == {n: s for n, s in layout(*VIT_B).items() if n != "mask_token"}


def test_it_gives_the_tokens_of_the_published_network_for_every_slice(tmp_path):
    backbone, audit, _ = loaded(MedDINOv3(size="tiny", weights=file(tmp_path)))
    assert (audit.loaded_share, audit.missing) == (1, [])
    unused = {"dino_head.mlp.0.weight", "ibot_head.mlp.0.weight", "mask_token"}
    assert set(audit.unused) == unused
    volume = probe(1, 1, 2, 32, 48)
    with torch.no_grad():
        (found,) = backbone.encoder(volume)
    assert found.shape == (1, 96, 2, 2, 3)
    for i in range(2):
        expected = seen(volume[0, :, i].repeat(3, 1, 1), state())
        torch.testing.assert_close(found[0, :, i], expected, rtol=0.02, atol=0.02)  # bfloat16


def test_grey_channels_share_the_embedding_of_colours(tmp_path):
    baseline = MedDINOv3(size="tiny", weights=file(tmp_path))
    with torch.device("meta"):
        backbone = baseline.backbone(2)
    name = "patch_embed.proj.weight"
    stem = baseline.translate(read_weights(baseline.file()), backbone)[f"encoder.{name}"]
    assert stem.shape == (48, 2, 16, 16)
    torch.testing.assert_close(stem.sum(1), state()[name].sum(1))


def test_another_transformer_is_refused(tmp_path):
    other = {name: t for name, t in state().items() if name != "storage_tokens"}
    path = save(tmp_path / "w.pth", other | {"pos_embed": torch.ones(1, 5, 48)}, "teacher")
    with pytest.raises(WeightsError, match="not in the file: encoder"):
        loaded(MedDINOv3(size="tiny", weights=path))
