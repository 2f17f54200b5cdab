"""Models Genesis' file loads whole, and its network gives what the published one gives."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.genesis import GenesisChestCT

from tests.baselines.layouts import State, loaded, probe, renamed, save, shapes

LEVELS = {"down_tr64": 1, "down_tr128": 2, "down_tr256": 4, "down_tr512": 8}
UPS = {"up_tr256": 4, "up_tr128": 2, "up_tr64": 1}


def state(width: int) -> dict[str, Tensor]:
    """Random weights in the layout of `Genesis_Chest_CT.pt`; its width is 32."""
    random = torch.Generator().manual_seed(0)
    made: dict[str, Tensor] = {}

    def put(name: str, *shape: int, around: float = 0.0) -> None:
        fan = max(torch.Size(shape[1:]).numel(), 25)
        made[name] = around + torch.randn(shape, generator=random) / fan**0.5

    def ops(name: str, into: int, between: int, out: int) -> None:
        for i, (before, after) in enumerate([(into, between), (between, out)]):
            put(f"{name}.ops.{i}.conv1.weight", after, before, 3, 3, 3)
            put(f"{name}.ops.{i}.conv1.bias", after)
            put(f"{name}.ops.{i}.bn1.weight", after, around=1)
            put(f"{name}.ops.{i}.bn1.bias", after)
            put(f"{name}.ops.{i}.bn1.running_mean", after)
            put(f"{name}.ops.{i}.bn1.running_var", after, around=1)
            made[f"{name}.ops.{i}.bn1.num_batches_tracked"] = torch.tensor(9)

    before = 1
    for name, scale in LEVELS.items():
        ops(name, before, width * scale, 2 * width * scale)
        before = 2 * width * scale
    for name, scale in UPS.items():
        put(f"{name}.up_conv.weight", 4 * width * scale, 4 * width * scale, 2, 2, 2)
        put(f"{name}.up_conv.bias", 4 * width * scale)
        ops(name, 6 * width * scale, 2 * width * scale, 2 * width * scale)
    put("out_tr.final_conv.weight", 1, 2 * width, 1, 1, 1)
    put("out_tr.final_conv.bias", 1)
    return made


def features(x: Tensor, weights: State) -> Tensor:
    """Zhou et al. 2021: batch norm takes the statistics of the batch, in evaluation too."""

    def ops(x: Tensor, name: str) -> Tensor:
        for i in (0, 1):
            conv, bn = f"{name}.ops.{i}.conv1", f"{name}.ops.{i}.bn1"
            x = F.conv3d(x, weights[f"{conv}.weight"], weights[f"{conv}.bias"], padding=1)
            running = weights[f"{bn}.running_mean"].clone(), weights[f"{bn}.running_var"].clone()
            affine = weights[f"{bn}.weight"], weights[f"{bn}.bias"]
            x = F.relu(F.batch_norm(x, *running, *affine, training=True))
        return x

    skips = []
    for name in LEVELS:
        x = ops(F.max_pool3d(x, 2) if skips else x, name)
        skips.append(x)
    for name, skip in zip(UPS, skips[2::-1], strict=True):
        up = weights[f"{name}.up_conv.weight"], weights[f"{name}.up_conv.bias"]
        x = ops(torch.cat([F.conv_transpose3d(x, *up, stride=2), skip], 1), name)
    return x


class TestGenesisChestCT(BaselineChecks):
    baseline = GenesisChestCT(size="tiny")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


def test_it_gives_the_features_of_the_published_network_window_by_window(tmp_path):
    path = save(tmp_path / "genesis.pt", state(8), "state_dict", "module.")
    backbone, audit, _ = loaded(GenesisChestCT(size="tiny", weights=path))
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    unread = ("running_mean", "running_var", "num_batches_tracked")
    unused = [name for name in audit.unused if not name.endswith(unread)]
    assert unused == ["out_tr.final_conv.bias", "out_tr.final_conv.weight"]
    windows = probe(2, 1, 16, 16, 24)
    with torch.no_grad():
        alone = torch.cat([features(window.unsqueeze(0), state(8)) for window in windows])
        torch.testing.assert_close(backbone(windows), alone, rtol=1e-4, atol=1e-4)


def test_its_own_size_is_the_published_one():
    published = {
        name: tuple(tensor.shape)
        for name, tensor in state(32).items()
        if not name.endswith(("running_mean", "running_var", "tracked"))
    }
    assert sum(torch.Size(shape).numel() for shape in published.values()) / 1e6 == pytest.approx(
        19.08, abs=0.01
    )
    with torch.device("meta"):
        network = shapes(GenesisChestCT().backbone(1))
    assert {name.partition(".")[2]: shape for name, shape in network.items()} == {
        name: shape for name, shape in published.items() if not name.startswith("out_tr.")
    }


@pytest.mark.parametrize("names", [{"conv1": "conv"}, {"down_tr": "other.down_tr"}])
def test_names_that_do_not_fit_are_refused(tmp_path, names):
    path = save(tmp_path / "genesis.pt", renamed(state(8), names), "state_dict", "module.")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(GenesisChestCT(size="tiny", weights=path))
