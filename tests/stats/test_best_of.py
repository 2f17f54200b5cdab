"""The expected best of k trials: by hand, against all subsets, and its interval by simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.stats.best_of import best_intervals, expected_best, told_apart


def test_three_trials_by_hand():
    """Pairs of 0.2, 0.5 and 0.9 have the best 0.5, 0.9 and 0.9."""
    assert expected_best(np.array([0.9, 0.2, 0.5])) == pytest.approx([1.6 / 3, 2.3 / 3, 0.9])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_it_is_the_mean_over_all_subsets(scores):
    means = [
        np.mean([max(subset) for subset in combinations(scores, k)])
        for k in range(1, len(scores) + 1)
    ]
    assert expected_best(np.array(scores)) == pytest.approx(means, abs=1e-9)


def test_a_thousand_trials_are_no_trouble():
    found = expected_best(np.linspace(0, 1, 1000))
    assert np.all(np.diff(found) > 0)
    assert found[-1] == pytest.approx(1.0)


def test_the_interval_of_the_median_best_lies_between_two_of_the_scores():
    """Of 12 trials, at most 2 lie below the median in 1.9%: from the third to the third last."""
    low, high = best_intervals(np.arange(1, 13) / 12)
    assert (low[0], high[0]) == (3 / 12, 10 / 12)
    assert np.isnan(high[2:]).all()
    assert not np.isnan(low).any()


def test_one_trial_tells_no_interval():
    assert np.isnan(best_intervals(np.array([0.5]))).all()


def test_the_interval_holds_the_median_in_at_least_95_of_100_studies():
    rng, truth = np.random.default_rng(0), 0.5 ** (1 / np.arange(1, 13))
    held = []
    for _ in range(2000):
        low, high = best_intervals(rng.random(12))
        held.append((np.nan_to_num(low, nan=0) <= truth) & (truth <= np.nan_to_num(high, nan=1)))
    assert np.mean(held, axis=0).min() > 0.94


def test_trials_are_told_apart_by_the_differences_within_patients():
    one = np.array([0.9, 0.5, 0.7, 0.2])
    assert told_apart(one, one - np.array([0.10, 0.11, 0.09, 0.10]))
    assert not told_apart(one, one[::-1])
    assert not told_apart(one, one)
    assert not told_apart(one[:1], one[:1] - 0.5)
    assert not told_apart(np.array([0.9, np.nan]), np.array([0.1, 0.2]))
