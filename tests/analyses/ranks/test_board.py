import numpy as np
import pytest
from voxbench.analyses.ranks.board import apply_policy, boards
from voxbench.analyses.read import read_groups
from voxbench.errors import SpecError
from voxbench.stats.metric import METRICS

from tests.analyses.ranks.boards import board
from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
NAN = float("nan")


def two_arms(**skip):
    return [
        record(cases(lambda i, c, e=extra: 0.5 + 0.01 * i + e), arm, task=task, seed=seed)
        for arm, extra in ((SCRATCH, 0.0), (MASKED, 0.1))
        for task in ("one", "two")
        for seed in range(2)
    ]


def test_arms_stand_side_by_side_on_the_same_patients_and_runs():
    [found] = boards(read_groups(two_arms()), DICE)
    assert (found.arms, found.tasks) == ((MASKED, SCRATCH), ("one", "two"))
    assert found.samples[0].values.shape == (2, 8, 2)
    assert found.samples[0].values[0] - found.samples[0].values[1] == pytest.approx(0.1)


def test_a_scope_with_one_arm_is_no_board():
    assert boards(read_groups(two_arms()[:4]), DICE) == []


def test_what_is_missing_is_told():
    [found] = boards(
        read_groups([*two_arms()[:-1], record(None, MASKED, task="two", seed=1)]), DICE
    )
    assert [(task, arm, run.seed) for task, arm, run in found.missing] == [("two", MASKED, 1)]
    assert found.accounts.startswith("1 trainings missing; 0 undefined")


def test_settings_of_a_task_are_never_pooled():
    records = two_arms()
    records += [
        record(cases(lambda i, c: 0.5), arm, task="one", key=arm[:3], cell={"recipe": {"steps": 9}})
        for arm in (SCRATCH, MASKED)
    ]
    [found] = boards(read_groups(records), DICE)
    assert [name.partition(" ")[0] for name in found.tasks] == ["one", "one", "two"]
    assert len(set(found.tasks)) == 3


def test_complete_leaves_out_tasks_runs_and_patients_that_an_arm_lacks():
    full = np.full((2, 3, 2), 0.5)
    run, patient, task = full.copy(), full.copy(), full.copy()
    run[0, :, 1], patient[1, 2], task[0] = NAN, NAN, NAN
    found = apply_policy(board(run, patient, task), "complete")
    assert found.tasks == ("task0", "task1")
    assert found.samples[0].values.shape == (2, 3, 1)
    assert np.isnan(found.samples[1].values[:, 2]).all()
    assert not np.isnan(found.samples[1].values[:, :2]).any()
    assert found.left_out == (
        "task0: 1 runs that not every arm has left out",
        "task1: 1 patients without a score in every arm left out",
        "task2 left out: lacking a",
    )


def test_worst_scores_a_missing_training_but_no_undefined_patient():
    scores = np.full((2, 3, 2), 0.5)
    scores[0, :, 1], scores[1, 2] = NAN, NAN
    found = apply_policy(board(scores), "worst").samples[0].values
    assert (found[0, :, 1] == 0).all()
    assert np.isnan(found[1, 2]).all()


def test_the_worst_distance_is_the_largest_seen():
    scores = np.array([[3.0, 9.0], [NAN, NAN]])
    assert (apply_policy(board(scores, metric="hd95_mm"), "worst").samples[0].values[1] == 9).all()


def test_available_changes_nothing():
    given = board(np.array([[0.5, NAN], [0.5, 0.5]]))
    assert apply_policy(given, "available") is given


def test_nothing_in_common_is_refused_with_the_way_out():
    with pytest.raises(SpecError, match="no task has a run of all 2 arms at 100%"):
        apply_policy(board(np.array([[NAN, NAN], [0.5, 0.5]])))


def test_an_unknown_policy_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'worst'"):
        apply_policy(board(np.array([[0.5], [0.5]])), "wurst")
