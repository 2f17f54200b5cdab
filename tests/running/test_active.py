"""Rounds of active learning: chosen from the pool, trained anew, never from the test."""

from voxbench.errors import DataError
from voxbench.records import Store
from voxbench.records.active import ActiveRecords
from voxbench.records.failures import still_failed
from voxbench.records.kept import weights_path
from voxbench.running import active_job
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import Notes, make_sweep

INLINE = Options(jobs=1)
SHORT = {"steps": 2, "patch": [16, 16, 16], "augmentation": "none"}
TABLE = {"budget": 1, "rounds": 2}


def rounds(root):
    return {(one.strategy, one.round): one for one in ActiveRecords(root)}


def test_each_round_labels_what_is_doubted_most_and_never_a_test_case(example, tmp_path):
    sweep = make_sweep(seeds=1, recipe=SHORT, active=TABLE)
    notes = Notes()
    [cell] = run_sweep(sweep, tmp_path, INLINE, notes)
    assert [str(outcome.job) for outcome in notes.outcomes if outcome.failure] == []
    found, own = rounds(tmp_path), Store(tmp_path).read(cell.key)
    name = "predictive_entropy · image mean"
    assert set(found) == {("random", 1), ("random", 2), (name, 1), (name, 2)}
    start = {*own.data.train}
    for strategy in ("random", name):
        first, second = found[strategy, 1], found[strategy, 2]
        assert {*first.labelled} == start | {*first.queried}
        assert {*second.labelled} == {*first.labelled} | {*second.queried}
        assert len(first.queried) == len(second.queried) == 1
        assert {*second.labelled}.isdisjoint({*own.data.test, *own.data.validation})
        assert [case.case for case in second.cases] == own.data.test
        assert weights_path(tmp_path, second.key).exists()
    doubted = found[name, 1]
    assert doubted.queried == [max(doubted.scores, key=doubted.scores.__getitem__)]
    assert start.isdisjoint(doubted.scores)

    again = Notes()
    run_sweep(sweep, tmp_path, INLINE, again)
    assert again.todo == []


def test_a_round_that_failed_is_remembered_and_done_by_the_next_run(example, tmp_path, monkeypatch):
    sweep = make_sweep(seeds=1, recipe=SHORT, active=TABLE | {"rounds": 1})

    def broken(*_):
        raise DataError("no scanner at all")

    with monkeypatch.context() as now:
        now.setattr(active_job, "with_training", broken)
        run_sweep(sweep, tmp_path, INLINE)
    assert rounds(tmp_path) == {}
    assert {one.work.rsplit(" · ")[-1] for one in still_failed(tmp_path)} == {"round 1"}
    run_sweep(sweep, tmp_path, INLINE)
    assert len(rounds(tmp_path)) == 2
    assert still_failed(tmp_path) == []


def test_a_budget_of_slices_labels_whole_cases_until_it_is_spent(example, tmp_path):
    changes = {"in_slices": True, "rounds": 1}
    run_sweep(make_sweep(seeds=1, recipe=SHORT, active=TABLE | changes), tmp_path, INLINE, Notes())
    found = rounds(tmp_path)
    assert {one.in_slices for one in found.values()} == {True}
    assert {len(one.queried) for one in found.values()} == {1}
    each = found["random", 1].slices
    assert each > 1
    for changes["budget"], cases in ((2 * each, 2), (2 * each - 1, 1)):
        root = tmp_path / str(cases)
        sweep = make_sweep(seeds=1, recipe=SHORT, active=TABLE | changes)
        run_sweep(sweep, root, INLINE, Notes())
        assert {len(one.queried) for one in rounds(root).values()} == {cases}
        assert {one.slices for one in rounds(root).values()} == {cases * each}
