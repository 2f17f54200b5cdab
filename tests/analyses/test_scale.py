from dataclasses import replace

import numpy as np
import pytest
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.analyses.scale import trends
from voxbench.stats.metric import METRICS

from tests.analyses.records import SCRATCH, WEIGHTS, cases, record


def arms(gains, patients=20, amounts=(10, 100, 1000)):
    """Arms pre-trained on ever more volumes, each with a gain of its own."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 0.1, patients)

    def scores(gain):
        noise = rng.normal(0, 0.01, patients)
        return cases(lambda i, c: 0.6 + difficulty[i] + gain + noise[i], patients)

    made = [record(scores(0.0), SCRATCH)]
    for volumes, gain in zip(amounts, gains, strict=True):
        weights = WEIGHTS.model_copy(update={"volumes": volumes})
        made.append(record(scores(gain), f"masked[volumes={volumes}]", weights=weights))
    return twins(read_groups(made), METRICS["dice"])


def by_volumes(gains, **options):
    [row] = [row for row in trends(arms(gains, **options), 0.01) if row.amount == "volumes"]
    return row


def test_more_volumes_that_help_are_rising():
    row = by_volumes((0.0, 0.05, 0.1))
    assert (row.answer, row.points, row.least, row.most) == ("rising", 3, 10, 1000)
    assert row.change.mean == pytest.approx(0.1, abs=0.02)
    assert row.change.low < row.change.mean < row.change.high
    assert row.family == "masked"


def test_flat_is_an_answer():
    row = by_volumes((0.05, 0.05, 0.05), patients=120)
    assert row.answer == "flat"
    assert -0.01 < row.change.low < row.change.high < 0.01


def test_more_volumes_that_hurt_are_falling():
    assert by_volumes((0.1, 0.05, 0.0)).answer == "falling"


def test_few_patients_have_no_answer():
    assert by_volumes((0.0, 0.1, 0.2), patients=4).refused == "the arms share 4 scored patients"


def test_equal_amounts_are_refused_and_unknown_ones_left_out():
    rows = {row.amount: row for row in trends(arms((0.0, 0.1, 0.2)), 0.01)}
    assert rows["cpu_hours"].refused == "the amounts differ by less than 2 times"
    assert "masks" not in rows
    assert "gpu_hours" not in rows


def test_the_trends_of_a_table_hold_at_once_and_one_run_is_a_note():
    alone, other = by_volumes((0.0, 0.05, 0.1)), arms((0.0, 0.05, 0.1))
    moved = [replace(pair, name="again") for pair in other]
    one, _ = (row for row in trends([*other, *moved], 0.01) if row.amount == "volumes")
    assert one.change.low < alone.change.low < alone.change.high < one.change.high
    assert alone.note == "1 run: the interval leaves out the spread between seeds"


def test_one_arm_is_no_trend():
    assert trends(arms((0.1,), amounts=(10,)), 0.01) == []
