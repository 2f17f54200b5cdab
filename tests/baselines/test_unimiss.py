"""UniMiSS's file loads whole, student or teacher, and gives what its network gives."""

from functools import cache
from math import prod

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.model.audit import load_weights
from voxbench.model.backbones.mit import resized
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.unimiss import UniMiSS

from tests.baselines.layouts import State, loaded, probe, renamed, save, shapes, translated

Shape = tuple[int, ...]

BLOCKS = {"tiny": ((1, 1, 1, 1), (1, 1, 1)), "small": ((2, 3, 4, 3), (3, 4, 3))}
DOWN = ((32, 48), (48, 128), (128, 256), (256, 512))
UP = ((512, 256), (256, 128), (128, 48))
GRIDS = {"3D": ((8, 24, 24), (4, 12, 12), (2, 6, 6), (1, 3, 3))}
GRIDS["2D"] = tuple((side, side) for side in (56, 28, 14, 7))
ANEW = ("transposeconv_stage3.", "stage3_de.")


def block(name: str, width: int, reduction: int, bias: bool) -> dict[str, Shape]:
    """A transformer block of both kinds of images."""
    made: dict[str, Shape] = {}
    norms = ["norm1", "norm2"] + ["attn.norm"] * (reduction > 1)
    for norm in norms:
        made[f"{name}.{norm}.weight"] = made[f"{name}.{norm}.bias"] = (width,)
    layers = {"attn.q": (1, 1), "attn.kv": (2, 1), "attn.proj": (1, 1)}
    for layer, (out, into) in {**layers, "mlp.fc1": (4, 1), "mlp.fc2": (1, 4)}.items():
        made[f"{name}.{layer}.weight"] = (out * width, into * width)
        if bias or layer not in {"attn.q", "attn.kv"}:
            made[f"{name}.{layer}.bias"] = (out * width,)
    for axes in (2, 3) if reduction > 1 else ():
        made[f"{name}.attn.sr{axes}D.weight"] = (width, width, *[reduction] * axes)
        made[f"{name}.attn.sr{axes}D.bias"] = (width,)
    return made


def layout(size: str) -> dict[str, Shape]:
    """Names and shapes of a published network, below `backbone.` and `head.`."""
    made: dict[str, Shape] = {}

    def conv(name: str, into: int, out: int, kernel: int, axes: int) -> None:
        made[f"{name}.conv.weight"] = (out, into, *[kernel] * axes)
        made[f"{name}.norm.weight"] = made[f"{name}.norm.bias"] = (out,)

    def linear(name: str, into: int, out: int) -> None:
        made[f"{name}.weight"], made[f"{name}.bias"] = (out, into), (out,)

    down, up = BLOCKS[size]
    for axes in (2, 3):
        t, side = "backbone.transformer", f"{axes}D"
        conv(f"{t}.patch_embed{side}0", 3 if axes == 2 else 1, 32, 7, axes)
        for i, (into, out) in enumerate(DOWN):
            conv(f"{t}.patch_embed{side}{i + 1}.proj", into, out, 3, axes)
            made[f"{t}.pos_embed{side}{i + 1}"] = (1, prod(GRIDS[side][i]) + 1, out)
        for i, (into, out) in enumerate(UP):
            made[f"backbone.DecEmbed{side}{i}.proj.weight"] = (into, out, *[2] * axes)
            made[f"backbone.DecEmbed{side}{i}.proj.bias"] = (out,)
            made[f"backbone.DecPosEmbed{side}{i}"] = (1, prod(GRIDS[side][2 - i]) + 1, out)
    for i, ((_, width), count) in enumerate(zip(DOWN, down, strict=True)):
        for b in range(count):
            made |= block(f"{t}.block{i + 1}.{b}", width, (6, 4, 2, 1)[i], bias=True)
    made[f"{t}.cls_tokens1"] = (1, 1, 48)
    for i, (into, out) in enumerate(DOWN[1:], start=2):
        linear(f"{t}.cls_tokens{i}", into, out)
    for i, ((into, width), count) in enumerate(zip(UP, up, strict=True)):
        for b in range(count):
            made |= block(f"backbone.Decblock{i}.{b}", width, (2, 4, 6)[i], bias=False)
        linear(f"backbone.cls_tokens{i}", into, width)
    made["backbone.norm.weight"] = made["backbone.norm.bias"] = (48,)
    for i, (into, out) in {0: (48, 2048), 2: (2048, 2048), 4: (2048, 256)}.items():
        linear(f"head.mlp.{i}", into, out)
    made |= {"head.last_layer.weight_g": (65536, 1)}
    return made | {"head.last_layer.weight_v": (65536, 256)}


@cache
def state() -> dict[str, Tensor]:
    """Random weights of the tiny size; heads and the 2D side are zeros that take no room."""
    random = torch.Generator().manual_seed(0)
    return {
        name: torch.zeros(()).expand(shape)
        if "2D" in name or name.startswith("head.")
        else float(".norm" in name and name.endswith("weight"))
        + torch.randn(shape, generator=random) / max(prod(shape[1:]), 25) ** 0.5
        for name, shape in layout("tiny").items()
    }


def plain() -> dict[str, Tensor]:
    """The same as `read_weights` gives it."""
    return {name.removeprefix("backbone."): tensor for name, tensor in state().items()}


def features(x: Tensor, weights: State) -> Tensor:
    """Xie et al. 2022, figure 2, as its fine-tuning has it; on pre-training's grid, no resizing."""

    def affine(name: str) -> tuple[Tensor, Tensor | None]:
        return weights[f"{name}.weight"], weights.get(f"{name}.bias")

    def conv(x: Tensor, name: str, stride: int | tuple[int, ...]) -> Tensor:
        kernel = weights[f"{name}.conv.weight"]
        x = F.conv3d(x, kernel, None, stride, padding=kernel.shape[-1] // 2)
        var, mean = torch.var_mean(x, dim=(2, 3, 4), correction=0, keepdim=True)
        scale, shift = (t.view(1, -1, 1, 1, 1) for t in affine(f"{name}.norm"))
        x = (x - mean) / (var + 1e-5).sqrt() * scale + shift
        return torch.where(x > 0, x, 0.01 * x)

    def norm(x: Tensor, name: str, eps: float) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *affine(name), eps)

    def attention(x: Tensor, name: str, heads: int, grid: Shape) -> Tensor:
        n, width = x.shape[1:]
        few = x
        if f"{name}.sr3D.weight" in weights:
            kernel, bias = affine(f"{name}.sr3D")
            few = F.conv3d(
                x.transpose(1, 2).reshape(1, width, *grid), kernel, bias, kernel.shape[2]
            )
            few = norm(few.flatten(2).transpose(1, 2), f"{name}.norm", 1e-5)
        q = F.linear(x, *affine(f"{name}.q")).view(n, heads, -1)
        kv = F.linear(few, *affine(f"{name}.kv")).view(few.shape[1], 2, heads, -1)
        scores = torch.einsum("qhc,khc->hqk", q, kv[:, 0]) / (width / heads) ** 0.5
        mixed = torch.einsum("hqk,khc->qhc", scores.softmax(-1), kv[:, 1])
        return F.linear(mixed.reshape(1, n, width), *affine(f"{name}.proj"))

    def level(x: Tensor, blocks: str, position: str, heads: int, eps: float) -> Tensor:
        grid = x.shape[2:]
        x = x.flatten(2).transpose(1, 2) + weights[position][:, 1:]
        name = f"{blocks}.0"
        x = x + attention(norm(x, f"{name}.norm1", eps), f"{name}.attn", heads, grid)
        y = F.linear(norm(x, f"{name}.norm2", eps), *affine(f"{name}.mlp.fc1"))
        x = x + F.linear(F.gelu(y), *affine(f"{name}.mlp.fc2"))
        return x.transpose(1, 2).reshape(1, -1, *grid)

    t = "backbone.transformer"
    maps = [conv(x, f"{t}.patch_embed3D0", (1, 2, 2))]
    for i in (1, 2, 3, 4):
        x = conv(maps[-1], f"{t}.patch_embed3D{i}.proj", 2)
        maps.append(level(x, f"{t}.block{i}", f"{t}.pos_embed3D{i}", 2 ** (i - 1), 1e-6))
    x = maps[4]
    for i in (0, 1, 2):
        name = f"backbone.DecEmbed3D{i}.proj"
        x = F.conv_transpose3d(x, *affine(name), stride=2) + maps[3 - i]
        x = level(x, f"backbone.Decblock{i}", f"backbone.DecPosEmbed3D{i}", 2 ** (3 - i), 1e-5)
    x = norm(x.movedim(1, -1), "backbone.norm", 1e-5).movedim(-1, 1)
    x = F.conv_transpose3d(x, *affine("transposeconv_stage3"), stride=2)
    x = conv(x + maps[0], "stage3_de", 1)
    size = (x.shape[2], 2 * x.shape[3], 2 * x.shape[4])
    return F.interpolate(x, size=size, mode="trilinear", align_corners=False)


class TestUniMiSS(BaselineChecks):
    baseline = UniMiSS(size="tiny")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


def test_it_gives_the_features_of_the_published_network(tmp_path):
    path = save(tmp_path / "tiny.pth", state(), "student", "module.")
    backbone, audit, _ = loaded(UniMiSS(size="tiny", weights=path))
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert audit.loaded_total_share > 0.99
    assert audit.unused == sorted(
        name for name in plain() if "2D" in name or "cls_" in name or "head." in name
    )
    anew = {n: t for n, t in backbone.decoder.state_dict().items() if n.startswith(ANEW)}
    volume = probe(1, 1, 16, 96, 96)  # pre-training's patch
    with torch.no_grad():
        expected = features(volume, {**state(), **anew})
        torch.testing.assert_close(backbone(volume), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("roles", [("student",), ("teacher",), ("teacher", "student")])
def test_the_student_is_taken_and_the_teacher_where_it_is_alone(tmp_path, roles):
    name = "transformer.pos_embed3D4"
    content = {
        role: {f"{'module.' * (role == 'student')}backbone.{name}": torch.full((1, 10, 512), value)}
        for role, value in (("student", 1.0), ("teacher", 2.0))
        if role in roles
    }
    torch.save(content, tmp_path / "tiny.pth")
    tensors, _ = translated(UniMiSS(size="tiny", weights=str(tmp_path / "tiny.pth")))
    value = 1.0 if "student" in roles else 2.0
    assert torch.equal(tensors["encoder.pos_embed4"], torch.full((1, 9, 512), value))


def test_position_embeddings_without_a_class_token_stay_whole():
    """The fine-tuning's loader drops it from the fourth and the decoder's alone."""
    baseline = UniMiSS(size="tiny")
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    whole = torch.randn(1, 4608, 48)
    for embedding in (whole, torch.cat([torch.zeros(1, 1, 48), whole], dim=1)):
        tensors = baseline.translate({"transformer.pos_embed3D1": embedding}, backbone)
        assert torch.equal(tensors["encoder.pos_embed1"], whole)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_every_size_has_the_published_names_and_shapes(size):
    published = {}
    for name, shape in layout(size).items():
        if "2D" in name or "cls_" in name or name.startswith("head."):
            continue
        shape = (1, shape[1] - 1, shape[2]) if len(shape) == 3 else shape
        name = name.replace("3D", "").replace("backbone.", "decoder.")
        published[name.replace("decoder.transformer.", "encoder.")] = shape
    with torch.device("meta"):
        network = shapes(UniMiSS(size=size).backbone(1))
    anew = tuple(f"decoder.{name}" for name in ANEW)
    assert {n: s for n, s in network.items() if not n.startswith(anew)} == published


@pytest.mark.parametrize(("size", "file"), [("tiny", 672_755_586), ("small", 1_050_159_114)])
def test_a_file_of_this_layout_is_as_large_as_the_published_one(size, file):
    """Student, teacher, AdamW's two moments of what is trained, the centre; as a host lists it."""
    numbers = {name: prod(shape) for name, shape in layout(size).items()}
    fixed = numbers["head.last_layer.weight_g"]
    values = 4 * sum(numbers.values()) - 2 * fixed + 65536
    packing = file - 4 * values
    assert 0 < packing < 400 * 4 * len(numbers)  # bytes a tensor takes in torch's archive


def test_position_embeddings_follow_the_patch():
    """Linear along each axis: a ramp stays a ramp, whatever the grid."""
    ramp = torch.arange(24.0).add(0.5).expand(8, 24, 24).reshape(1, -1, 1)
    wider = resized(ramp, (8, 24, 24), torch.Size((16, 8, 48)))
    assert wider.shape == (1, 1, 16, 8, 48)
    expected = torch.arange(48.0).add(0.5) / 2
    torch.testing.assert_close(wider[0, 0, 3, 5, 1:-1], expected[1:-1])
    same = resized(ramp, (8, 24, 24), torch.Size((8, 24, 24)))
    assert torch.equal(same.flatten(2).mT, ramp)


def test_more_channels_repeat_the_stem():
    baseline = UniMiSS(size="tiny")
    with torch.device("meta"):
        backbone = baseline.backbone(3)
    stem = baseline.translate(plain(), backbone)["encoder.patch_embed0.conv.weight"]
    assert stem.shape == (32, 3, 7, 7, 7)
    one = plain()["transformer.patch_embed3D0.conv.weight"]
    assert all(torch.equal(stem[:, c : c + 1], one) for c in range(3))


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ("tiny", {"transformer.": "encoder."}),
        ("tiny", {"3D": "2D_"}),
        ("tiny", {"attn.": "attention."}),
        ("small", {}),
    ],
)
def test_a_file_that_does_not_fit_is_refused(size, names):
    baseline = UniMiSS(size=size)
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    tensors = baseline.translate(renamed(plain(), names), backbone)
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        load_weights(backbone, tensors, min_loaded=baseline.card.min_loaded, in_channels=1)
