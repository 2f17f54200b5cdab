"""A sweep's folder made without training: predictions are references that were damaged at random.

Everything else is as `voxbench run` leaves it: keys, splits, seeds, scores of the label maps.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bench import plugins
from bench.plugins import BASELINES, TASKS
from bench.record import Record, Store
from tests.submission.made import make

PLUGIN = Path(__file__).parent / "plugin"
EXAMPLE = Path(__file__).parent.parent / "example_plugin" / "voxbench_example"


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The folder of a finished sweep with its label maps, never to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        _include(patch)
        return make(tmp_path_factory.mktemp("finished"))


@pytest.fixture(autouse=True)
def _plugins(monkeypatch, tmp_path):
    """The task `boxes` and the arm `example-denoising`; no results in the working folder."""
    _include(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy of the finished sweep's folder, to be changed."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def record(finished) -> Record:
    """The first record of an arm that was pre-trained, to be changed."""
    return next(record for record in Store(finished) if record.weights)


def _include(patch) -> None:
    patch.setattr(TASKS, "loose", {})
    patch.setattr(BASELINES, "loose", {})
    plugins.include(EXAMPLE)
    plugins.include(PLUGIN)


def noise(seed: int, labels: np.ndarray) -> np.ndarray:
    """Label maps that agree with `labels` in all but a random few of its voxels."""
    random = np.random.default_rng(seed)
    return np.where(random.random(labels.shape) < 0.0002, 0, labels).astype(np.uint8)
