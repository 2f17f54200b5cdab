"""The mirror on Weights & Biases is off unless asked for, and works without a network."""

import sys
from types import SimpleNamespace

import pytest
from voxbench.cli.progress import Progress
from voxbench.running.jobs import JobOutcome
from voxbench.running.mirror import mirror

from tests.records.test_store import record


def test_it_is_off_by_default_and_imports_nothing():
    before = "wandb" in sys.modules
    Progress().finished(JobOutcome(SimpleNamespace(id="a cell"), record()))
    assert ("wandb" in sys.modules) == before


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_offline_it_writes_a_run_that_can_be_sent_later(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    done = record("abc", training={5: 1.0, 10: 0.5}, cell={"recipe": {"steps": 10}})
    mirror("offline", "p", tmp_path / "mine")(done)
    assert list((tmp_path / "mine" / "wandb").glob("offline-run-*-abc/*.wandb"))
