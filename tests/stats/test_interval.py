import numpy as np
import pytest
from scipy import stats
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.interval import bounds


def one_run(values):
    return Sample(np.asarray(values, dtype=float)[:, None], (0,))


def test_for_normal_data_the_expanded_interval_is_students():
    rng = np.random.default_rng(0)
    values = stats.norm.ppf((np.arange(12) + 0.5) / 12) + 0.0 * rng.normal(size=12)
    found = bootstrap(one_run(values), resamples=100_000)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06)
    plain = bootstrap(one_run(values), resamples=100_000, kind="percentile")
    assert plain.high < found.high


def test_bca_is_that_of_scipy():
    values = np.random.default_rng(1).beta(8, 1, 25)
    ours = bootstrap(one_run(values), resamples=50_000, kind="bca")
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=50_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=2e-3)


def test_bca_moves_towards_the_long_tail():
    values = 1 - np.random.default_rng(1).beta(8, 1, 25)  # a tail of high values
    plain, moved = (bootstrap(one_run(values), kind=kind) for kind in ("percentile", "bca"))
    assert moved.low > plain.low
    assert moved.high > plain.high


@pytest.mark.parametrize("kind", ["expanded", "percentile", "bca"])
def test_equal_values_leave_no_doubt(kind):
    assert bootstrap(one_run([0.3] * 7), kind=kind) == pytest.approx((0.3, 0.3, 0.3))


def test_resamples_without_a_value_are_left_out():
    estimates = np.array([[0.0], [1.0], [np.nan]])
    low, high = bounds(estimates, np.array([0.5]), np.array([[0.0], [1.0]]), "percentile", 0.5)
    assert (low[0], high[0]) == pytest.approx((0.25, 0.75))


def test_no_resample_has_no_interval():
    assert np.isnan(bounds(np.full((3, 1), np.nan), np.array([np.nan]), np.empty((0, 1)))).all()
