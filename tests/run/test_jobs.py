"""Weights are made first and once, a donor's before those that are made from it."""

import pytest
from voxbench.plugins import TASKS, Plugin
from voxbench.pretrain import engine
from voxbench.records import Store
from voxbench.run.engines.pool import _feed, _Queue, _Worker
from voxbench.run.grid import arrange
from voxbench.run.jobs import Outcome, jobs
from voxbench.run.plan import plan
from voxbench.run.sweep import Options, run_sweep

from tests.run.conftest import Watch, make_sweep

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

    monkeypatch.setitem(TASKS.loose, "blocks", Plugin("blocks", "this test", Blocks))


def planned(root, *arms):
    cells = plan(arrange(make_sweep(baselines=list(arms))), Store(root))
    assert {cell.state for cell in cells} == {"missing"}
    return jobs(cells)


def test_a_control_waits_for_its_donor_whatever_the_order_of_the_arms(blocks, tmp_path):
    for arms in ([CONTROL, DONOR], [DONOR, CONTROL]):
        first = [job for job in planned(tmp_path, *arms) if job.pretraining]
        names = [job.planned.arranged.arm.baseline.partition("[")[0] for job in first]
        assert names == ["supervised", "negative-control"]
        assert [job.needs for job in first] == [None, first[0].id]


def test_a_control_without_its_donor_waits_for_nothing(blocks, tmp_path):
    other = {**DONOR, "volumes": 4}
    first = [job for job in planned(tmp_path, CONTROL, other) if job.pretraining]
    assert [job.needs for job in first] == [None, None]


def test_cells_wait_for_their_weights_which_come_first(blocks, tmp_path):
    todo = planned(tmp_path, CONTROL, DONOR, {**DONOR, "label_noise": 0.3})
    kinds = [job.pretraining for job in todo]
    assert kinds == sorted(kinds, reverse=True)
    assert sum(kinds) == 3
    ids = {job.id for job in todo if job.pretraining}
    needing = [job for job in todo if not job.pretraining and job.needs]
    assert {job.needs for job in needing} == ids
    assert len(needing) == 3 * 2


def test_a_failed_donor_fails_the_control_and_all_their_cells(blocks, tmp_path, monkeypatch):
    todo = planned(tmp_path, CONTROL, DONOR)
    queue, told = _Queue(todo), []
    donor = queue.pop()
    queue.note(Outcome(donor, None, "out of luck"))
    monkeypatch.setattr(
        "voxbench.run.engines.pool.lost", lambda job, why, _place: Outcome(job, None, why)
    )
    twins = [job for job in todo if not job.pretraining and job.needs is None]
    queue.waiting = [job for job in queue.waiting if job not in twins]
    idle = _Worker("cpu", None, None)
    _feed(idle, queue, None, (), lambda _: None, told.append)
    assert len(told) == 1 + 2 * 2
    assert {outcome.failure for outcome in told} == {"out of luck"}
    assert not queue.waiting


def test_a_sweep_with_a_control_trains_its_donor_once(blocks, tmp_path, monkeypatch):
    trained, train = [], engine.train
    monkeypatch.setattr(
        engine, "train", lambda *given, **more: trained.append(1) or train(*given, **more)
    )
    fresh = {"steps": 1, "patch": [16, 16, 16], "augmentation": "none", "seed": 7}
    sweep = make_sweep(baselines=[CONTROL, DONOR], seeds=1, pretraining=fresh)
    run_sweep(sweep, tmp_path, Options(jobs=1, limit=1), Watch())
    records = {record.arm.strategy: record for record in Store(tmp_path)}
    assert {record.status for record in records.values()} == {"ok"}
    assert len(trained) == 1
    control, donor = records["control"].weights, records["supervised"].weights
    assert (control.volumes, control.masks, control.cpu_hours) == (3, 3, donor.cpu_hours)
    assert control.sha256 != donor.sha256
    assert records["control"].arm.twin == records["scratch"].arm.baseline
