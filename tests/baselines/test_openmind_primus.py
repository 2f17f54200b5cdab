"""nnssl's Primus-M loads as its adaptation plan says, and gives what it gave in pre-training."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.model.backbones import Backbone
from voxbench.model.backbones.primus import PRIMUS, Eva, PrimusDecoder, PrimusEncoder, PrimusSize
from voxbench.model.comparison import compare_tensors
from voxbench.model.layout import FileLayout
from voxbench.model.weights import Contents, read_weights
from voxbench_baselines.openmind_primus import OpenMindPrimusM

from tests.baselines.layouts import State, fingerprint, loaded, probe, shapes
from tests.baselines.test_openmind import altered, checkpoint, projector, swin_heads

PRIMUS_M, TINY = (864, 16), (192, 4)  # width and blocks; the tiny one is for speed
HEADS = 4
PLAN = altered(
    architecture_plans={"arch_class_name": "PrimusM", "arch_kwargs": None},
    key_to_encoder="eva",
    key_to_stem="down_projection",
    keys_to_in_proj=("down_projection.proj",),
    key_to_lpe="eva.pos_embed",
)


def transformer(name: str, width: int, blocks: int, side: int = 20) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a stack of EVA-02's blocks on the side³ tokens of pre-training."""
    hidden = width * 8 // 3
    made: dict[str, tuple[int, ...]] = {f"{name}.pos_embed": (1, side**3, width)}

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


def of_objective(objective: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of an objective's Primus-M file: it has no blocks that decode."""
    width, blocks = PRIMUS_M
    side = 8 if objective in {"VoCo", "SimCLR"} else 20
    made = {"mask_token": (1, 1, width), "down_projection.proj.weight": (width, 1, 8, 8, 8)}
    made |= {"down_projection.proj.bias": (width,), **transformer("eva", width, blocks, side)}
    if objective in {"VoCo", "SimCLR", "SwinUNETR"}:
        made = {f"encoder.{name}": shape for name, shape in made.items()}
        heads = swin_heads((864, 432, 216, 108), end=12)
        return made | (heads if objective == "SwinUNETR" else projector(width))
    middle = (208, 48, 6) if objective == "VF" else (112, 16, 1)
    for place, into, out in zip(("0.0", "1.0", "2"), (width, *middle), middle, strict=False):
        made[f"up_projection.decode.{place}.weight"] = (into, out, 2, 2, 2)
        made[f"up_projection.decode.{place}.bias"] = (out,)
        if place != "2":
            norm = f"up_projection.decode.{place[0]}.1"
            made |= {f"{norm}.weight": (out,), f"{norm}.bias": (out,)}
    return made


def plan_of(objective: str) -> dict[str, object]:
    """The plan beside an objective's file."""
    part = "encoder." if objective in {"VoCo", "SimCLR", "SwinUNETR"} else ""
    return PLAN | {
        "key_to_encoder": f"{part}eva",
        "key_to_stem": f"{part}down_projection",
        "keys_to_in_proj": (f"{part}down_projection.proj",),
        "key_to_lpe": f"{part}eva.pos_embed",
    }


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


def encoded(volume: Tensor, weights: State, swapped: bool = True) -> Tensor:
    """nnssl's encoder: tokens in the order of the second, first and third axis, SimMIM's as it is.

    Args:
        volume: (1, 1, d, h, w).
        weights: under nnssl's names.
        swapped: tokens with the first two axes exchanged.
    """

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
    x = x.transpose(2, 3) if swapped else x
    grid = x.shape[2], x.shape[3], x.shape[4]
    positions = weights["eva.pos_embed"].mT.reshape(1, -1, 20, 20, 20)
    positions = F.interpolate(positions, grid, mode="trilinear", align_corners=False)
    x = (x + positions).flatten(2).mT
    for block in range(TINY[1]):
        at = f"eva.blocks.{block}"
        x = x + weights[f"{at}.gamma_1"] * attention(norm(x, f"{at}.norm1"), f"{at}.attn")
        y = norm(x, f"{at}.norm2")
        y = F.silu(layer(y, f"{at}.mlp.fc1_g")) * layer(y, f"{at}.mlp.fc1_x")
        y = layer(norm(y, f"{at}.mlp.norm"), f"{at}.mlp.fc2")
        x = x + weights[f"{at}.gamma_2"] * y
    x = norm(x, "eva.norm").mT.unflatten(2, grid)
    return x.transpose(2, 3) if swapped else x


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
    eva = Eva(PrimusSize(6, 1, 0))
    eva.pos_embed.data = torch.arange(8000.0).reshape(1, 8000, 1).expand(1, 8000, 6).clone()
    eva.norm = torch.nn.Identity()
    with torch.no_grad():
        found = eva(torch.zeros(1, 6, 20, 20, 20))[0, 0]
    assert found[2, 3, 4] == 2 * 400 + 3 * 20 + 4


@pytest.mark.parametrize(
    ("objective", "published"),
    [  # of nnssl's code at commit 7044864
        ("VF", (384, 3439747616)),
        ("MG", (384, 2814582207)),
        ("SimMIM", (384, 2814582207)),
        ("VoCo", (380, 1211855637)),
        ("SwinUNETR", (386, 884986407)),
    ],
)
def test_the_layouts_of_the_objectives_are_the_published_ones(objective, published):
    assert fingerprint(of_objective(objective)) == published


@pytest.mark.parametrize("objective", ["MG", "SimCLR", "SwinUNETR"])
def test_every_objective_fills_the_whole_encoder(objective):
    size = "medium-64" if objective == "SimCLR" else "medium"
    baseline = OpenMindPrimusM(objective=objective, size=size)
    file = Contents({n: torch.zeros(()).expand(s) for n, s in of_objective(objective).items()})
    trainer = {"MG": "ModelGenesisEvaTrainer_BS8"}.get(objective, f"{objective}EvaTrainer")
    file.beside = {"nnssl_adaptation_plan": plan_of(objective), "trainer_name": trainer}
    file.layout = FileLayout("torch")
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    found = compare_tensors(backbone, baseline.translate(file, backbone), baseline.card.left_over)
    assert (found.share, found.surplus) == (1, [])


def test_simmim_s_tokens_were_in_the_order_of_the_axes(tmp_path):
    path = checkpoint(tmp_path / "w.pth", state(), PLAN, trainer="SimMIMEvaTrainer_BS8")
    backbone, *_ = loaded(OpenMindPrimusM(size="tiny", objective="SimMIM", weights=path))
    volume = probe(1, 1, 16, 24, 32)
    with torch.no_grad():
        (found,) = backbone.encoder(volume)
        ours, swapped = (encoded(volume, state(), swapped) for swapped in (False, True))
    torch.testing.assert_close(found, ours, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found, swapped, atol=0.1)


def test_positions_of_smaller_patches_are_taken_as_they_are_on_those():
    """As the plan's code does for VoCo and SimCLR: 8³ tokens, resized once for others."""
    assert PRIMUS.sizes["medium-64"] == PRIMUS.sizes["medium"]._replace(side=8)
    size = PrimusSize(6, 1, 0, side=8)
    backbone = Backbone(PrimusEncoder(size, 1), PrimusDecoder(32))
    eva = backbone.encoder.eva
    eva.pos_embed.data = torch.arange(512.0).reshape(1, 512, 1).expand(1, 512, 6).clone()
    eva.norm = torch.nn.Identity()
    with torch.no_grad():
        assert eva(torch.zeros(1, 6, 8, 8, 8))[0, 0][2, 3, 4] == 2 * 64 + 3 * 8 + 4


def test_an_objective_of_another_patch_needs_the_network_of_its_size():
    with pytest.raises(ValueError, match="size must be medium-64 for objective VoCo"):
        OpenMindPrimusM(objective="VoCo")
    assert OpenMindPrimusM(objective="VoCo", size="medium-64").twin[1]["size"] == "medium-64"


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
