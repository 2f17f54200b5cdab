"""Strategies of active learning beside cases drawn at random, from records alone."""

import numpy as np
import pytest
from voxbench.analyses.active import round_rows, round_table
from voxbench.records.active import ActiveRecord, ActiveRecords

from tests.analyses.records import cases, record, scores, stored
from tests.analyses.test_cross_validation import fold

PATIENTS = 10


def write(root, cell, strategy, number, gain):
    found = cases(lambda i, _: 0.4 + 0.01 * i + gain + 0.0005 * (i % 3), PATIENTS)
    ActiveRecords(root).write(round_of(cell, strategy, number, found))


def round_of(cell, strategy, number, found):
    return ActiveRecord(
        key=f"{strategy}-{number}-{cell.key}", smoke=False, sweep="test", cell=cell.key,
        arm=cell.arm, strategy=strategy, model=("softmax", {}), round=number, budget=2,
        queried=["x", "y"], scores={}, labelled=["a"] * (3 + 2 * number), cases=found,
        seconds=1.0, environment={},
    )  # fmt: skip


def test_a_strategy_is_compared_with_random_after_the_same_round(tmp_path):
    cells = [record(cases(lambda i, _: 0.3, PATIENTS), seed=seed) for seed in range(3)]
    stored(tmp_path, *cells)
    for cell in cells:
        for number in (1, 2):
            write(tmp_path, cell, "random", number, 0.05 * number)
            write(tmp_path, cell, "entropy · mean", number, 0.15 * number + 0.001 * cell.arm.seed)
    rows = {(row.strategy, row.round): row for row in round_rows(tmp_path, cells)}
    assert len(rows) == 4
    first, second = rows["entropy · mean", 1], rows["entropy · mean", 2]
    assert first.gain.mean == pytest.approx(0.101)
    assert second.gain.mean == pytest.approx(0.201)
    assert first.verdict == second.verdict == "better"
    assert rows["random", 1].verdict == ""
    assert (first.labelled, second.labelled, first.patients, first.runs) == (5, 7, PATIENTS, 3)
    table = round_table(list(rows.values()))
    assert all(len(line) == len(table.columns) for line in table.body)


def test_without_rounds_there_are_no_rows(tmp_path):
    assert round_rows(tmp_path, []) == []


def test_a_gain_is_told_as_a_share_of_the_dice_before_the_rounds(tmp_path):
    rows = compared(tmp_path, [record(cases(lambda i, _: 0.3, PATIENTS))])
    assert rows["entropy · mean"].improvement == pytest.approx(0.1 / 0.3)
    assert np.isnan(rows["random"].improvement)


def test_the_folds_of_a_training_are_one_run_of_all_their_patients(tmp_path):
    row = compared(tmp_path, [fold(number) for number in range(5)])["entropy · mean"]
    assert (row.runs, row.patients) == (1, 30)
    assert row.gain.mean == pytest.approx(0.1)
    assert row.dice.mean == pytest.approx(0.5 + 0.145 + 0.2, abs=0.03)


def test_a_false_alarm_where_the_reference_lacks_the_class_has_no_dice(tmp_path):
    alarm = {"b": scores(0.0, volume_mm3_reference=0.0)}
    found = [
        case.model_copy(update={"classes": case.classes | alarm})
        for case in cases(lambda i, _: 0.3, PATIENTS)
    ]
    assert compared(tmp_path, [record(found)])["random"].dice.mean == pytest.approx(0.4)


def compared(root, cells):
    """Rows after one round, in which doubt gains 0.2 over the cell, and random cases 0.1."""
    stored(root, *cells)
    for cell in cells:
        for strategy, gain in (("random", 0.1), ("entropy · mean", 0.2)):
            raised = [gained(case, gain) for case in cell.cases]
            ActiveRecords(root).write(round_of(cell, strategy, 1, raised))
    return {row.strategy: row for row in round_rows(root, cells)}


def gained(case, gain):
    """The same case with more Dice of the first class."""
    first = case.classes["a"].model_copy(update={"dice": case.classes["a"].dice + gain})
    return case.model_copy(update={"classes": case.classes | {"a": first}})
