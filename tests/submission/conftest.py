"""A sweep's folder made without training: predictions are references that were damaged at random.

Everything else is as `voxbench run` leaves it: keys, splits, seeds, scores of the label maps.
"""

import shutil
from pathlib import Path

import pytest
from voxbench import plugins
from voxbench.plugins import BASELINES, TASKS

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


def _include(patch) -> None:
    patch.setattr(TASKS, "loose", {})
    patch.setattr(BASELINES, "loose", {})
    plugins.include(EXAMPLE)
    plugins.include(PLUGIN)
