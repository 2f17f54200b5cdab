"""Small sweeps on the example plugin's cubes."""

from pathlib import Path

import pytest
from voxbench import plugins
from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import parse_sweep
from voxbench.plugins import ARCHITECTURES, BASELINES, TASKS
from voxbench.running.bind import bind
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.plan import Planned, plan_cells
from voxbench.running.watch import Watch

EXAMPLE = Path(__file__).parent.parent / "example_plugin" / "voxbench_example"


@pytest.fixture
def example(monkeypatch) -> Path:
    """The example plugin as loose files: task `cubes`, baseline `example-denoising`, a network."""
    for registry in (TASKS, BASELINES, ARCHITECTURES):
        monkeypatch.setattr(registry, "loose", {})
    plugins.include(EXAMPLE)
    return EXAMPLE


@pytest.fixture
def sweep(example) -> Sweep:
    """Two cells of seconds each: scratch on the cubes with two seeds."""
    return make_sweep()


def make_sweep(**changes) -> Sweep:
    """A sweep over the cubes with a few steps of the smallest network."""
    values = {
        "name": "tiny",
        "tasks": ["cubes"],
        "baselines": [{"name": "scratch", "size": "tiny"}],
        "fractions": ["2 shots"],
        "seeds": 2,
        "recipe": {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"},
        "pretraining": {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"},
    }
    return parse_sweep({**values, **changes})


def planned(sweep: Sweep, root: Path) -> list[Planned]:
    """The sweep's cells as they stand in an output folder."""
    return plan_cells(bind(sweep), root)


class Notes(Watch):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.todo: list[Job] = []
        self.outcomes: list[JobOutcome] = []

    def planned(self, cells, todo) -> None:
        self.todo = list(todo)

    def finished(self, outcome) -> None:
        self.outcomes.append(outcome)
