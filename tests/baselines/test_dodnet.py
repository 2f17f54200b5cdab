"""DoDNet's file loads whole, however it is wrapped, and gives what the published network gives."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.dodnet import DoDNet

from tests.baselines.layouts import State, loaded, probe, renamed, save, shapes

BLOCKS = (1, 2, 2, 2, 2)
HEADS = ("controller.", "precls_conv.", "GAP.")


def layout(width: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published file, whose width is 32."""
    made: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        made[f"{name}.weight"] = made[f"{name}.bias"] = (channels,)

    def block(name: str, into: int, out: int, projected: bool) -> None:
        norm(f"{name}.gn1", into)
        made[f"{name}.conv1.weight"] = (out, into, 3, 3, 3)
        norm(f"{name}.gn2", out)
        made[f"{name}.conv2.weight"] = (out, out, 3, 3, 3)
        if projected:
            norm(f"{name}.downsample.0", into)
            made[f"{name}.downsample.2.weight"] = (out, into, 1, 1, 1)

    made["conv1.weight"] = (width, 1, 3, 3, 3)
    widths = [width * growth for growth in (1, 2, 4, 8, 8)]
    for level, (into, out) in enumerate(zip([width, *widths], widths, strict=False)):
        for i in range(BLOCKS[level]):
            block(f"layer{level}.{i}", out if i else into, out, projected=level > 0 and not i)
    norm("fusionConv.0", 8 * width)
    made["fusionConv.2.weight"] = (8 * width, 8 * width, 1, 1, 1)
    for name, into, out in (("x8", 8, 4), ("x4", 4, 2), ("x2", 2, 1), ("x1", 1, 1)):
        block(f"{name}_resb.0", into * width, out * width, projected=into != out)
    norm("precls_conv.0", width)
    made |= {"precls_conv.2.weight": (8, width, 1, 1, 1), "precls_conv.2.bias": (8,)}
    norm("GAP.0", 8 * width)
    made |= {"controller.weight": (162, 8 * width + 7, 1, 1, 1), "controller.bias": (162,)}
    return made


@cache
def state() -> dict[str, Tensor]:
    """Random weights, half as wide as the published ones."""
    random = torch.Generator().manual_seed(0)
    return {
        name: float(len(shape) == 1 and name.endswith("weight"))
        + torch.randn(shape, generator=random) / max(torch.Size(shape[1:]).numel(), 25) ** 0.5
        for name, shape in layout(16).items()
    }


def features(x: Tensor, weights: State) -> Tensor:
    """Zhang et al. 2021, up to the input of the head."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{name}.weight"]
        flat = kernel.flatten(1)
        flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True)
        return F.conv3d(x, flat.view_as(kernel), None, stride, padding=kernel.shape[-1] // 2)

    def active(x: Tensor, name: str) -> Tensor:
        return F.relu(F.group_norm(x, 16, weights[f"{name}.weight"], weights[f"{name}.bias"]))

    def block(x: Tensor, name: str, stride: int = 1) -> Tensor:
        y = conv(active(x, f"{name}.gn1"), f"{name}.conv1", stride)
        y = conv(active(y, f"{name}.gn2"), f"{name}.conv2")
        if f"{name}.downsample.0.weight" in weights:
            x = conv(active(x, f"{name}.downsample.0"), f"{name}.downsample.2", stride)
        return x + y

    x = conv(x, "conv1")
    skips = []
    for level, blocks in enumerate(BLOCKS):
        for i in range(blocks):
            x = block(x, f"layer{level}.{i}", 2 if level and not i else 1)
        skips.append(x)
    x = conv(active(x, "fusionConv.0"), "fusionConv.2")
    for name, skip in zip(("x8", "x4", "x2", "x1"), skips[-2::-1], strict=True):
        size = skip.shape[2:]
        x = F.interpolate(x, size=size, mode="trilinear", align_corners=False) + skip
        x = block(x, f"{name}_resb.0")
    return x


class TestDoDNet(BaselineChecks):
    baseline = DoDNet(size="tiny")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


@pytest.mark.parametrize(
    ("wrapper", "prefix"), [(None, ""), ("model", "module."), ("state_dict", "module.")]
)
def test_it_gives_the_features_of_the_published_network(tmp_path, wrapper, prefix):
    path = save(tmp_path / "dodnet.pth", state(), wrapper, prefix)
    backbone, audit, _ = loaded(DoDNet(size="tiny", weights=path))
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    assert audit.unused == sorted(name for name in state() if name.startswith(HEADS))
    volume = probe(1, 1, 32, 16, 32)
    with torch.no_grad():
        expected = features(volume, state())
        torch.testing.assert_close(backbone(volume), expected, rtol=1e-3, atol=1e-3)


def test_its_own_size_is_the_published_one():
    """17.29M parameters, as SuPreM's table counts them: without the head."""
    published = {n: shape for n, shape in layout(32).items() if not n.startswith(HEADS)}
    total = sum(torch.Size(shape).numel() for shape in published.values())
    assert total / 1e6 == pytest.approx(17.29, abs=0.01)
    with torch.device("meta"):
        network = shapes(DoDNet().backbone(1))
    assert {name.partition(".")[2]: shape for name, shape in network.items()} == published


@pytest.mark.parametrize("names", [{"layer": "down"}, {"conv": "convolution"}])
def test_names_that_do_not_fit_are_refused(tmp_path, names):
    path = save(tmp_path / "dodnet.pth", renamed(state(), names), "model")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(DoDNet(size="tiny", weights=path))
