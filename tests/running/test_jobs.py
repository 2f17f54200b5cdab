"""Weights are made first and once, a donor's before those that are made from it."""

import pytest
from voxbench.plugins import TASKS
from voxbench.pretrain import engine
from voxbench.records import Store
from voxbench.registry import Registration
from voxbench.running.bind import bind
from voxbench.running.engines.inline import run_inline
from voxbench.running.jobs import CellJob, JobOutcome, PretrainingJob, jobs_for
from voxbench.running.options import Options
from voxbench.running.queue import Queue
from voxbench.running.sweep import run_sweep
from voxbench.running.watch import SILENT
from voxbench.running.worker import Worker

from tests.running.conftest import make_sweep

ARM = {"size": "tiny", "source": "blocks", "volumes": 3}
CONTROL = {"name": "negative-control", **ARM}
DONOR = {"name": "supervised", **ARM}


@pytest.fixture
def blocks(example, monkeypatch):
    """The cubes under another name: a source that is not the task itself."""
    cubes = TASKS.find("cubes")

    class Blocks(cubes):
        @property
        def card(self):
            return super().card.model_copy(update={"name": "blocks"})

    monkeypatch.setitem(TASKS.loose, "blocks", Registration("blocks", "this test", Blocks))


def jobs_of(*arms):
    cells = bind(make_sweep(baselines=list(arms)))
    assert not any(cell.trainings.reason for cell in cells)
    return jobs_for(cells)


def weights_first(jobs) -> list[PretrainingJob]:
    return [job for job in jobs if isinstance(job, PretrainingJob)]


def test_a_control_waits_for_its_donor_whatever_the_order_of_the_arms(blocks):
    for arms in ([CONTROL, DONOR], [DONOR, CONTROL]):
        first = weights_first(jobs_of(*arms))
        names = [job.arm.partition("[")[0] for job in first]
        assert names == ["supervised", "negative-control"]
        assert [job.needs for job in first] == [None, first[0].id]


def test_a_control_without_its_donor_waits_for_nothing(blocks):
    other = {**DONOR, "volumes": 4}
    first = weights_first(jobs_of(CONTROL, other))
    assert [job.needs for job in first] == [None, None]


def test_a_control_is_made_as_its_donor_is_where_that_has_a_schedule_of_its_own(blocks):
    donor = {**DONOR, "pretraining": {"steps": 2}}
    first = weights_first(jobs_of(CONTROL, donor))
    assert [job.needs for job in first] == [None, first[0].id]
    assert [job.plan.schedule.steps for job in first] == [2, 2]
    longer = weights_first(jobs_of({**CONTROL, "pretraining": {"steps": 3}}, donor))
    assert [(job.needs, job.plan.schedule.steps) for job in longer] == [(None, 3), (None, 2)]


def test_cells_wait_for_their_weights_which_come_first(blocks):
    todo = jobs_of(CONTROL, DONOR, {**DONOR, "label_noise": 0.3})
    kinds = [isinstance(job, PretrainingJob) for job in todo]
    assert kinds == sorted(kinds, reverse=True)
    assert sum(kinds) == 3
    ids = {job.id for job in weights_first(todo)}
    needing = [job for job in todo if isinstance(job, CellJob) and job.needs]
    assert {job.needs for job in needing} == ids
    assert len(needing) == 3 * 2


def test_a_failed_donor_fails_the_control_and_all_their_cells(blocks, tmp_path):
    todo = jobs_of(CONTROL, DONOR)
    twins = [job for job in todo if isinstance(job, CellJob) and job.needs is None]
    queue = Queue(tmp_path, [job for job in todo if job not in twins])
    queue.note(JobOutcome(queue.take(), None, "out of luck"))
    told = list(run_inline(queue, [Worker(tmp_path, "tiny")], SILENT.heard))
    assert len(told) == 1 + 2 * 2
    assert {outcome.failure for outcome in told} == {"out of luck"}
    assert queue.over
    assert {record.failure for record in Store(tmp_path)} == {"out of luck"}


def test_a_sweep_with_a_control_trains_its_donor_once(blocks, tmp_path, monkeypatch):
    trained, train = [], engine.train
    monkeypatch.setattr(
        engine, "train", lambda *given, **more: trained.append(1) or train(*given, **more)
    )
    fresh = {"steps": 1, "patch": [16, 16, 16], "augmentation": "none", "seed": 7}
    sweep = make_sweep(baselines=[CONTROL, DONOR], seeds=1, pretraining=fresh)
    run_sweep(sweep, tmp_path, Options(jobs=1, limit=1))
    records = {record.arm.strategy: record for record in Store(tmp_path)}
    assert {record.status for record in records.values()} == {"ok"}
    assert len(trained) == 1
    control, donor = records["control"].weights, records["supervised"].weights
    assert (control.volumes, control.masks, control.cpu_hours) == (3, 3, donor.cpu_hours)
    assert control.sha256 != donor.sha256
    assert records["control"].arm.twin == records["scratch"].arm.baseline


def test_what_takes_longest_comes_first_in_each_round_with_its_twin_behind(example):
    sizes = [{"name": "scratch", "size": size} for size in ("tiny", "small")]
    cells = bind(make_sweep(baselines=[*sizes, {"name": "example-denoising", "size": "tiny"}]))

    tiny, small, weights = "scratch[size=tiny]", "scratch", "example-denoising[size=tiny]"

    def arms(**costs: float) -> list[str]:
        labels = {"tiny": tiny, "small": small, "weights": weights}
        known = {labels[name]: cost for name, cost in costs.items()}
        seconds = {
            cell.key: known[label] for cell in cells if (label := cell.arm.baseline) in known
        }
        jobs = [job for job in jobs_for(cells, seconds=seconds) if isinstance(job, CellJob)]
        assert [job.cell.seed for job in jobs] == [0, 0, 0, 1, 1, 1]
        return [job.cell.arm.baseline for job in jobs[:3]]

    assert arms(tiny=3, small=50, weights=9) == [small, weights, tiny]
    assert arms(tiny=3, small=5, weights=9) == [weights, tiny, small]
    assert arms(small=50, weights=9) == [tiny, small, weights]  # of whom nothing is known, may be
