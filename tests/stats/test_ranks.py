import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from voxbench.errors import SpecError
from voxbench.stats.ranks import aggregate, ranks, stretches

NAN = float("nan")
MEANS = np.array([[[0.9, 0.5]], [[0.2, 0.3]]])  # task, resample, arm
ONCE, SIZES = np.ones((1, 2)), np.array([10.0, 90.0])


@pytest.mark.parametrize(
    ("how", "expected"),
    [("tasks", [0.55, 0.40]), ("patients", [0.27, 0.32]), ("borda", [0.5, 0.5])],
)
def test_aggregations_by_hand(how, expected):
    assert aggregate(MEANS, ONCE, SIZES, how, 1)[0] == pytest.approx(expected)


def test_distances_count_the_other_way_round():
    assert aggregate(MEANS, ONCE, SIZES, "tasks", -1)[0] == pytest.approx([-0.55, -0.40])


def test_a_missing_task_is_left_out_of_an_arms_mean():
    means = np.array([[[0.9, 0.5]], [[NAN, 0.3]]])
    assert aggregate(means, ONCE, SIZES, "tasks", 1)[0] == pytest.approx([0.9, 0.4])
    assert aggregate(means, ONCE, SIZES, "borda", 1)[0] == pytest.approx([1.0, 0.0])


def test_an_unknown_aggregation_is_refused():
    with pytest.raises(SpecError, match="unknown aggregation"):
        aggregate(MEANS, ONCE, SIZES, "median", 1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=7))
def test_ranks_are_scipys_with_the_best_first(values):
    scores = np.array([values], dtype=float)
    assert ranks(scores)[0] == pytest.approx(stats.rankdata(-scores[0]))


def test_rounding_errors_break_no_tie_and_what_is_missing_has_no_rank():
    found = ranks(np.array([[0.3, 0.1 + 0.2, NAN, 0.9]]))[0]
    assert found == pytest.approx([2.5, 2.5, NAN, 1.0], nan_ok=True)


def test_stretches_overlap_where_ties_are_no_equivalence():
    near = [0.0, 1.0, 2.0, 5.0]
    assert stretches(4, lambda i, j: near[j] - near[i] < 1.5) == [(0, 1), (1, 2), (3, 3)]
    assert stretches(3, lambda i, j: True) == [(0, 2)]
