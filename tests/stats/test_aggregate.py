import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from voxbench.errors import SpecError
from voxbench.stats.aggregate import ranks, standings

NAN = float("nan")
MEANS = np.array([[[0.9, 0.5]], [[0.2, 0.3]]])  # task, resample, arm
ONCE, SIZES = np.ones((1, 2)), np.array([10.0, 90.0])


@pytest.mark.parametrize(
    ("how", "expected"),
    [("tasks", [0.55, 0.40]), ("patients", [0.27, 0.32]), ("borda", [0.5, 0.5])],
)
def test_aggregations_by_hand(how, expected):
    assert standings(MEANS, ONCE, SIZES, how, 1)[0] == pytest.approx(expected)


def test_distances_stand_the_other_way_round():
    assert standings(MEANS, ONCE, SIZES, "tasks", -1)[0] == pytest.approx([-0.55, -0.40])


def test_a_missing_task_is_left_out_of_an_arms_mean():
    means = np.array([[[0.9, 0.5]], [[NAN, 0.3]]])
    assert standings(means, ONCE, SIZES, "tasks", 1)[0] == pytest.approx([0.9, 0.4])
    assert standings(means, ONCE, SIZES, "borda", 1)[0] == pytest.approx([1.0, 0.0])


def test_an_unknown_aggregation_is_refused():
    with pytest.raises(SpecError, match="unknown aggregation"):
        standings(MEANS, ONCE, SIZES, "median", 1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=7))
def test_ranks_are_scipys_with_the_best_first(values):
    standing = np.array([values], dtype=float)
    assert ranks(standing)[0] == pytest.approx(stats.rankdata(-standing[0]))


def test_rounding_errors_break_no_tie_and_what_is_missing_has_no_rank():
    found = ranks(np.array([[0.3, 0.1 + 0.2, NAN, 0.9]]))[0]
    assert found == pytest.approx([2.5, 2.5, NAN, 1.0], nan_ok=True)
