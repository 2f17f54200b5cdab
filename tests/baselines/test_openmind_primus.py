"""nnssl's Primus-M loads as its adaptation plan says, and gives what it gave in pre-training."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.model.weights import read_weights
from voxbench_baselines.openmind_primus import OpenMindPrimusM

from tests.baselines.layouts import State, loaded, probe, shapes
from tests.baselines.test_openmind import altered, checkpoint

PRIMUS_M, TINY = (864, 16), (192, 4)  # width and blocks; the tiny one is for speed
HEADS = 4
PLAN = altered(
    architecture_plans={"arch_class_name": "PrimusM", "arch_kwargs": None},
    key_to_encoder="eva",
    key_to_stem="down_projection",
    keys_to_in_proj=("down_projection.proj",),
    key_to_lpe="eva.pos_embed",
)


def transformer(name: str, width: int, blocks: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a stack of EVA-02's blocks on the 20³ tokens of pre-training."""
    hidden = width * 8 // 3
    made: dict[str, tuple[int, ...]] = {f"{name}.pos_embed": (1, 8000, width)}

    def layer(name: str, out: int, into: int | None = None, bias: bool = True) -> None:
        made[f"{name}.weight"] = (out, into) if into else (out,)
        if bias:
            made[f"{name}.bias"] = (out,)

    for block in range(blocks):
        at = f"{name}.blocks.{block}"
        made[f"{at}.gamma_1"] = made[f"{at}.gamma_2"] = (width,)
        for part in ("q_proj", "k_proj", "v_proj", "proj"):
            layer(f"{at}.attn.{part}", width, width, bias=part != "k_proj")
        for part in ("fc1_g", "fc1_x"):
            layer(f"{at}.mlp.{part}", hidden, width)
        layer(f"{at}.mlp.fc2", width, hidden)
        layer(f"{at}.mlp.norm", hidden)
        for part in ("norm1", "norm2", "attn.norm"):
            layer(f"{at}.{part}", width)
    layer(f"{name}.norm", width)
    return made


def layout(width: int, blocks: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of `checkpoint_final.pth`: encoder, two blocks that decode, projections."""
    made = {"mask_token": (1, 1, width), "down_projection.proj.weight": (width, 1, 8, 8, 8)}
    made |= {"down_projection.proj.bias": (width,), **transformer("eva", width, blocks)}
    for place, into, out in (("0.0", width, 112), ("1.0", 112, 16), ("2", 16, 1)):
        made[f"up_projection.decode.{place}.weight"] = (into, out, 2, 2, 2)
        made[f"up_projection.decode.{place}.bias"] = (out,)
    return made | transformer("decoder", width, 2)


@cache
def state() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        name: float("norm" in name and name.endswith("weight"))
        + torch.randn(shape, generator=random)
        * (0.3 if "pos" in name or "norm" in name or "gamma" in name else 0.05)
        for name, shape in layout(*TINY).items()
    }


def rotated(x: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Rotary positions as complex numbers: token (i, j, k) turns by its place along each axis."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    third = pairs.shape[-1] // 3
    speeds = torch.tensor([10_000 ** (-i / third) for i in range(third)])
    for number in range(x.shape[-2]):
        place = number // (grid[1] * grid[2]), number // grid[2] % grid[1], number % grid[2]
        angles = torch.cat([where * speeds for where in place])
        pairs[..., number, :] *= torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(pairs).flatten(-2)


def encoded(volume: Tensor, weights: State) -> Tensor:
    """nnssl's encoder: tokens in the order of the second, first and third axis."""

    def layer(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(x: Tensor, name: str) -> Tensor:
        affine = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], *affine)

    def attention(x: Tensor, name: str) -> Tensor:
        q, k, v = (
            layer(x, f"{name}.{part}_proj").reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)
            for part in "qkv"
        )
        q, k = rotated(q, grid), rotated(k, grid)
        weight = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        return layer(norm((weight @ v).transpose(1, 2).flatten(2), f"{name}.norm"), f"{name}.proj")

    stem = "down_projection.proj"
    x = F.conv3d(volume, weights[f"{stem}.weight"], weights[f"{stem}.bias"], stride=8)
    grid = x.shape[3], x.shape[2], x.shape[4]
    positions = weights["eva.pos_embed"].mT.reshape(1, -1, 20, 20, 20)
    positions = F.interpolate(positions, grid, mode="trilinear", align_corners=False)
    x = x.permute(0, 3, 2, 4, 1).flatten(1, 3) + positions.flatten(2).mT
    for block in range(TINY[1]):
        at = f"eva.blocks.{block}"
        x = x + weights[f"{at}.gamma_1"] * attention(norm(x, f"{at}.norm1"), f"{at}.attn")
        y = norm(x, f"{at}.norm2")
        y = F.silu(layer(y, f"{at}.mlp.fc1_g")) * layer(y, f"{at}.mlp.fc1_x")
        y = layer(norm(y, f"{at}.mlp.norm"), f"{at}.mlp.fc2")
        x = x + weights[f"{at}.gamma_2"] * y
    return norm(x, "eva.norm").unflatten(1, grid).permute(0, 4, 2, 1, 3)


def test_its_network_is_primus_m():
    with torch.device("meta"):
        backbone = OpenMindPrimusM().backbone(1)
    parts = ("down_projection.", "eva.")
    published = {f"encoder.{n}": s for n, s in layout(*PRIMUS_M).items() if n.startswith(parts)}
    assert published == {n: s for n, s in shapes(backbone).items() if n.startswith("encoder.")}


@pytest.mark.parametrize("side", [(16, 24, 32), (24, 24, 16)])
def test_its_encoder_gives_the_features_of_the_published_one_on_any_patch(tmp_path, side):
    path = checkpoint(tmp_path / "checkpoint_final.pth", state(), PLAN)
    backbone, audit, _ = loaded(OpenMindPrimusM(size="tiny", weights=path))
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert {name.partition(".")[0] for name in audit.unused} == {
        "mask_token",
        "up_projection",
        "decoder",
    }
    volume = probe(1, 1, *side)
    with torch.no_grad():
        (found,) = backbone.encoder(volume)
        torch.testing.assert_close(found, encoded(volume, state()), rtol=1e-4, atol=1e-4)


def test_positions_are_taken_as_they_are_on_the_patch_of_pre_training():
    """20³ tokens: none is interpolated. Swapped axes would show in a map of 20³ places."""
    from voxbench.model.backbones.primus import Eva, PrimusSize

    eva = Eva(PrimusSize(6, 1, 0))
    eva.pos_embed.data = torch.arange(8000.0).reshape(1, 8000, 1).expand(1, 8000, 6).clone()
    eva.norm = torch.nn.Identity()
    with torch.no_grad():
        found = eva(torch.zeros(1, 6, 20, 20, 20))[0, 0]
    assert found[2, 3, 4] == 2 * 400 + 3 * 20 + 4


def test_more_channels_share_the_embedding(tmp_path):
    path = checkpoint(tmp_path / "checkpoint_final.pth", state(), PLAN)
    baseline = OpenMindPrimusM(size="tiny", weights=path)
    with torch.device("meta"):
        backbone = baseline.backbone(3)
    name = "down_projection.proj.weight"
    embedding = baseline.translate(read_weights(path), backbone)[f"encoder.{name}"]
    assert embedding.shape == (192, 3, 8, 8, 8)
    torch.testing.assert_close(embedding.sum(1, keepdim=True), state()[name])


def test_a_residual_network_s_checkpoint_is_refused(tmp_path):
    few = {"encoder.stem.convs.0.conv.weight": torch.ones(32, 1, 3, 3, 3)}
    path = checkpoint(tmp_path / "checkpoint_final.pth", few)
    with pytest.raises(WeightsError, match="plan says ResEncL, this baseline is PrimusM"):
        loaded(OpenMindPrimusM(weights=path, size="tiny"))
