"""What is told of a sweep while it runs, and of its pre-trainings before it does."""

from types import SimpleNamespace

import pytest
from voxbench.cli import progress
from voxbench.cli.plan_jobs import worker_time
from voxbench.cli.progress import Pace, Progress
from voxbench.progress import Stage
from voxbench.running import estimate
from voxbench.running.jobs import PretrainingJob
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import EXAMPLE, Notes, example, make_sweep  # noqa: F401 (a fixture)

ARM = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}
SPEC = """
name = "tiny"
tasks = ["cubes"]
baselines = [{ name = "masked-autoencoder", size = "tiny", source = "cubes" }]
fractions = ["2 shots"]
seeds = 1
recipe = { steps = 100, patch = [16, 16, 16] }
pretraining = { steps = 100, patch = [16, 16, 16] }
"""


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now.s)
    return now


def test_a_pace_tells_steps_loss_and_the_time_that_is_left(clock):
    pace = Pace()
    pace.hear(Stage("training", 10, 100, 0.5))
    assert str(pace) == "training 10/100, loss 0.5"
    clock.s = 20.0
    pace.hear(Stage("training", 30, 100, 0.4567))
    assert str(pace) == "training 30/100, loss 0.457, 70 s left"
    pace.hear(Stage("predicting", 0, 4))
    assert str(pace) == "predicting 0/4"


def test_without_a_terminal_running_jobs_are_told_every_minute(clock, capsys):
    shown, job = Progress(), SimpleNamespace(id="a", __str__=lambda: "")
    shown.started(job)
    for clock.s, step in ((30.0, 10), (61.0, 20), (90.0, 30)):
        shown.heard(job, Stage("training", step, 40, 0.5))
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("training 20/40, loss 0.5, 62 s left")


class Heard(Notes):
    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[bool, Stage]] = []

    def heard(self, job, news) -> None:
        if isinstance(news, Stage):
            self.news.append((isinstance(job, PretrainingJob), news))


def test_a_run_hears_of_the_steps_of_pretraining_and_of_training(example, tmp_path):  # noqa: F811
    watch = Heard()
    run_sweep(make_sweep(baselines=[ARM], seeds=1), tmp_path, Options(jobs=1), watch)
    for pretraining in (True, False):
        steps = [
            one for own, one in watch.news if own == pretraining and one.doing.endswith("training")
        ]
        assert [one.done for one in steps][-1] == steps[-1].total == 4
        assert steps[-1].loss is not None


@pytest.mark.parametrize(
    ("seconds", "told"), [(90, "1.5 worker-minutes"), (328_236, "91.2 worker-hours")]
)
def test_the_time_of_a_worker_is_told_in_hours_where_it_is_long(seconds, told):
    assert worker_time(seconds) == told


def test_pretrainings_are_planned_with_a_cost_that_is_measured(voxbench, tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "MEASURED_S", 0.05)
    spec = tmp_path / "sweep.toml"
    spec.write_text(SPEC)
    code, told, _ = voxbench("plan", spec, "-o", tmp_path / "o", "--include-path", EXAMPLE)
    assert code == 0
    rows = map(str.split, told.splitlines())
    [(state, seconds)] = [row[1:] for row in rows if row and row[0].startswith("masked-auto")]
    assert state == "missing"
    assert float(seconds) > 0
    assert "pre-trainings: 1 to run, about " in told
    assert "2 cells: 2 missing; 2 to run, about " in told
