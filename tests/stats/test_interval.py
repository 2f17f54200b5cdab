import numpy as np
import pytest
from scipy import stats
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.interval import intervals_of


def one_run(values):
    return Sample(np.asarray(values, dtype=float)[:, None], (0,))


def test_for_normal_data_the_expanded_interval_is_students():
    rng = np.random.default_rng(0)
    values = stats.norm.ppf((np.arange(12) + 0.5) / 12) + 0.0 * rng.normal(size=12)
    found = bootstrap(one_run(values), resamples=100_000)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06)


def test_equal_values_leave_no_doubt():
    assert bootstrap(one_run([0.3] * 7)) == pytest.approx((0.3, 0.3, 0.3))


def test_resamples_without_a_value_are_left_out():
    estimates = np.array([[0.0], [1.0], [np.nan]])
    [found] = intervals_of(estimates, np.array([0.5]), np.array([1]))
    assert found == pytest.approx((0.5, 0.025, 0.975))


def test_no_resample_has_no_interval():
    [found] = intervals_of(np.full((3, 1), np.nan), np.array([np.nan]), np.array([0]))
    assert np.isnan(found).all()
