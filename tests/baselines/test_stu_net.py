"""STU-Net's files load whole, and its network gives what the published one gives."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.stu_net import STUNet

from tests.baselines.layouts import State, loaded, probe, renamed, save, shapes

GROWTH = (1, 2, 4, 8, 16, 16)
POOLS = ((2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 1, 2))


def layout(width: int, blocks: int, outputs: int = 105) -> dict[str, tuple[int, ...]]:
    """Names and shapes of `*_ep4k.model` with one input channel."""
    made: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, kernel: int) -> None:
        made[f"{name}.weight"] = (out, into, kernel, kernel, kernel)
        made[f"{name}.bias"] = (out,)

    def level(name: str, into: int, out: int) -> None:
        for i in range(blocks):
            conv(f"{name}.{i}.conv1", out, out if i else into, 3)
            conv(f"{name}.{i}.conv2", out, out, 3)
            for norm in ("norm1", "norm2"):
                made[f"{name}.{i}.{norm}.weight"] = made[f"{name}.{i}.{norm}.bias"] = (out,)
        conv(f"{name}.0.conv3", out, into, 1)

    widths = [width * growth for growth in GROWTH]
    for i, (into, out) in enumerate(zip([1, *widths], widths, strict=False)):
        level(f"conv_blocks_context.{i}", into, out)
    for i, (below, out) in enumerate(zip(widths[:0:-1], widths[-2::-1], strict=True)):
        conv(f"upsample_layers.{i}.conv", out, below, 1)
        level(f"conv_blocks_localization.{i}", 2 * out, out)
        conv(f"seg_outputs.{i}", outputs, out, 1)
    return made


def state(outputs: int = 105) -> dict[str, Tensor]:
    """Random weights of the smallest published size."""
    random = torch.Generator().manual_seed(0)
    return {
        name: float("norm" in name and "weight" in name)
        + torch.randn(shape, generator=random) / max(torch.Size(shape[1:]).numel(), 25) ** 0.5
        for name, shape in layout(16, 1, outputs).items()
    }


def logits(x: Tensor, weights: State) -> Tensor:
    """Huang et al. 2023, figure 2, with the poolings of the released plan."""

    def affine(name: str) -> tuple[Tensor, Tensor]:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        scale, shift = (t.view(1, -1, 1, 1, 1) for t in affine(name))
        var, mean = torch.var_mean(x, dim=(2, 3, 4), correction=0, keepdim=True)
        return (x - mean) / (var + 1e-5).sqrt() * scale + shift

    def block(x: Tensor, name: str, stride: tuple[int, ...] = (1, 1, 1)) -> Tensor:
        y = F.conv3d(x, *affine(f"{name}.conv1"), stride=stride, padding=1)
        y = F.leaky_relu(norm(y, f"{name}.norm1"), 0.01)
        y = norm(F.conv3d(y, *affine(f"{name}.conv2"), padding=1), f"{name}.norm2")
        return F.leaky_relu(y + F.conv3d(x, *affine(f"{name}.conv3"), stride=stride), 0.01)

    skips: list[Tensor] = []
    for i, stride in enumerate(((1, 1, 1), *POOLS)):
        x = block(x, f"conv_blocks_context.{i}.0", stride)
        skips.append(x)
    for i, (factors, skip) in enumerate(zip(POOLS[::-1], skips[-2::-1], strict=True)):
        for axis, factor in enumerate(factors, start=2):
            x = x.repeat_interleave(factor, dim=axis)
        x = F.conv3d(x, *affine(f"upsample_layers.{i}.conv"))
        x = block(torch.cat([x, skip], 1), f"conv_blocks_localization.{i}.0")
    return F.conv3d(x, *affine("seg_outputs.4"))


def model(path, state: State, wrapper: str = "state_dict") -> str:
    """A file as nnU-Net writes it: what it plots lies beside the tensors."""
    save(path, state, wrapper)
    content = torch.load(path, weights_only=False)
    content["plot_stuff"] = ([np.float64(-0.5)], [np.float64(-0.4)], [], [np.arange(3.0)])
    content["lr_scheduler_state_dict"] = None
    torch.save(content, path)
    return str(path)


class TestSTUNet(BaselineChecks):
    baseline = STUNet(size="small")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


@pytest.mark.parametrize(
    ("file", "wrapper"), [("small_ep4k.model", "state_dict"), ("small.pth", "network_weights")]
)
def test_it_gives_the_logits_of_the_published_network(tmp_path, file, wrapper):
    baseline = STUNet(size="small", weights=model(tmp_path / file, state(), wrapper))
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    assert {name.split(".")[0] for name in audit.unused} == {"seg_outputs"}
    assert len(audit.unused) == 10
    volume = probe(1, 1, 32, 32, 32)
    with torch.no_grad():
        maps = backbone.encoder(volume)
        assert [tuple(m.shape[2:]) for m in maps[-2:]] == [(2, 2, 2), (2, 2, 1)]
        found = baseline.head(published, backbone)(backbone.decoder(maps), maps)
        torch.testing.assert_close(found, logits(volume, state()), rtol=1e-3, atol=1e-3)


def test_more_channels_repeat_the_first_convolutions(tmp_path):
    baseline = STUNet(size="small", weights=model(tmp_path / "small_ep4k.model", state()))
    backbone = baseline.backbone(3)
    backbone.load_state_dict(
        {
            name: tensor
            for name, tensor in baseline.translate(state(), backbone).items()
            if not name.startswith("seg_outputs.")
        }
    )
    for name, kernel in (("conv1", 3), ("conv3", 1)):
        weight = backbone.encoder.conv_blocks_context[0][0].get_submodule(name).weight
        assert weight.shape == (16, 3, kernel, kernel, kernel)
        stem = state()[f"conv_blocks_context.0.0.{name}.weight"]
        assert all(torch.equal(weight[:, c : c + 1], stem) for c in range(3))


@pytest.mark.parametrize(
    ("size", "width", "blocks", "millions"),
    [
        ("small", 16, 1, 14.60),
        ("base", 32, 1, 58.26),
        ("large", 64, 2, 440.30),
        ("huge", 96, 3, 1457.33),
    ],
)
def test_every_size_is_the_published_one(size, width, blocks, millions):
    published = layout(width, blocks)
    total = sum(torch.Size(shape).numel() for shape in published.values())
    assert total / 1e6 == pytest.approx(millions, abs=0.01)
    with torch.device("meta"):
        network = shapes(STUNet(size=size).backbone(1))
    assert {name.partition(".")[2]: shape for name, shape in network.items()} == {
        name: shape for name, shape in published.items() if not name.startswith("seg_outputs.")
    }


def test_its_structures_are_alphabetical_and_all_there():
    outputs = STUNet.card.outputs
    assert outputs[0] == "background"
    assert list(outputs[1:]) == sorted(set(outputs[1:]))
    assert len(outputs) == 105


@pytest.mark.parametrize("names", [{"conv_blocks_context": "context"}, {".norm1": ".bn1"}])
def test_names_that_do_not_fit_are_refused(tmp_path, names):
    path = model(tmp_path / "small_ep4k.model", renamed(state(), names))
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(STUNet(size="small", weights=path))


def test_a_file_of_another_size_is_refused(tmp_path):
    path = model(tmp_path / "small_ep4k.model", state())
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(STUNet(size="base", weights=path))
