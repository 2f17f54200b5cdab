"""Two processes that share every batch train the network that one trains."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from voxbench.design.recipe import Recipe

from tests.fit.test_share import RECIPE, network, trained

SCRIPT = Path(__file__).with_name("in_ranks.py")


def trained_by_two(folder: Path, recipe: Recipe) -> None:
    told = recipe.model_dump_json()
    words = [[sys.executable, SCRIPT, str(rank), folder, told] for rank in range(2)]
    ranks = [subprocess.Popen(each) for each in words]
    assert [rank.wait() for rank in ranks] == [0, 0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("ranks")
    trained_by_two(found, RECIPE.model_copy(update={"devices": 2, "micro_batch": 1}))
    return found


@pytest.fixture(scope="module")
def alone() -> tuple[nn.Module, dict[int, float]]:
    net = network()
    return net, trained(net, RECIPE)


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_give_the_losses_and_weights_of_one(folder, alone, rank):
    net, losses = alone
    found = json.loads((folder / f"losses-{rank}.json").read_text())
    assert list(found.values()) == pytest.approx(list(losses.values()), abs=1e-5)
    weights = torch.load(folder / f"weights-{rank}.pt", weights_only=True)
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(weights[name], tensor, atol=1e-5, rtol=0)


def test_one_process_goes_on_where_two_stopped(folder, alone):
    net, (other, losses) = network(), alone
    found = trained(net, RECIPE, checkpoint=folder / "kept.ckpt")
    assert list(found.values()) == pytest.approx(list(losses.values()), abs=1e-5)
    for one, wanted in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, wanted, atol=1e-5, rtol=0)
