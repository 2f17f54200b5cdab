"""A weights file that would run code stops its cells, unless its user trusts that very file."""

import os
import pickle

import pytest
import torch
from voxbench import plugins
from voxbench.plugins import find_architecture
from voxbench.records import Store
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import EXAMPLE, make_sweep

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import BaselineCard, Published

@dataclass(frozen=True, kw_only=True)
class Shared(Published):
    size: str = "tiny"
    card: ClassVar = BaselineCard(name="shared", strategy="supervised", licence="x", reference="y")

    def translate(self, published, backbone):
        return published
"""


class Marks:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(example, tmp_path):
    """The plugin's folder."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "shared.py").write_text(PLUGIN)
    plugins.include(tmp_path / "plugins")
    return tmp_path / "plugins"


@pytest.fixture
def file(tmp_path):
    """Weights that leave a mark when their code runs."""
    torch.manual_seed(5)
    state = find_architecture("unet").build("tiny", 1).state_dict()
    torch.save({"state_dict": state, "mark": Marks(tmp_path / "ran")}, tmp_path / "w.pt")
    return tmp_path / "w.pt"


def run(file, root, **options):
    arms = [{"name": "shared", "weights": str(file)}]
    sweep = make_sweep(baselines=arms, twins=False, seeds=1)
    run_sweep(sweep, root, Options(**options))
    return list(Store(root))


def test_without_trust_the_cells_fail_and_nothing_runs(folder, file, tmp_path):
    other = tmp_path / "other.pt"
    other.write_bytes(pickle.dumps(0))
    (record,) = run(file, tmp_path / "out", jobs=1, trust=[other])
    assert record.status == "failed"
    assert "refused, it would run posix.mkdir" in record.failure
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_with_trust_the_record_says_so_and_workers_know_it(folder, file, tmp_path, jobs):
    options = {"jobs": jobs, "include": [EXAMPLE, folder], "trust": [file.resolve()]}
    (record,) = run(file, tmp_path / "out", **options)
    assert record.status == "ok", record.failure
    assert record.weights.trusted
    assert (tmp_path / "ran").is_dir()
