"""Strategies of active learning beside cases drawn at random, from records alone."""

import pytest
from voxbench.analyses.active import round_rows, round_table
from voxbench.records.active import ActiveRecord, ActiveRecords

from tests.analyses.records import cases, record, stored

PATIENTS = 10


def write(root, cell, strategy, number, gain):
    found = cases(lambda i, _: 0.4 + 0.01 * i + gain + 0.0005 * (i % 3), PATIENTS)
    ActiveRecords(root).write(ActiveRecord(
            key=f"{strategy}-{number}-{cell.key}", smoke=False, sweep="test", cell=cell.key,
            arm=cell.arm, strategy=strategy, model=("softmax", {}), round=number, budget=2,
            queried=["x", "y"], scores={}, labelled=["a"] * (3 + 2 * number), cases=found,
            seconds=1.0, environment={},
        ),
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
