import numpy as np
import pytest
from scipy import stats
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.counts import patient_counts, run_counts
from voxbench.stats.iqm import interquartile_mean, iqm_intervals, iqm_resampled

NAN = np.nan


def test_the_interquartile_mean_of_eight_is_that_of_the_middle_four():
    values = np.array([[-100, 1, 2, 3, 4, 5, 6, 100.0]]).T
    assert interquartile_mean(values) == pytest.approx(3.5)


def test_a_value_on_the_quartile_counts_in_part():
    # of 6 values 1.5 go on either side: half of the 2nd, all of the 3rd and 4th, half of the 5th
    values = np.array([[0, 1, 2, 4, 7, 9.0]]).T
    assert interquartile_mean(values) == pytest.approx((0.5 + 2 + 4 + 3.5) / 3)


def test_the_interquartile_mean_is_scipys_trimmed_mean_where_four_divides():
    values = np.random.default_rng(0).normal(size=(40, 1))
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values[:, 0], 0.25))
    assert np.isnan(interquartile_mean(np.full((3, 1), NAN))).all()


def test_each_resample_is_the_mean_of_the_middle_half_of_what_was_drawn():
    rng = np.random.default_rng(0)
    values = rng.beta(8, 2, (3, 17, 4))
    values[0, 3], values[1, 5, 2] = NAN, NAN
    sample = Sample(values, (0, 0, 1, 1))
    patients, runs = patient_counts(17, 1, 0, 50), run_counts(sample.draws, 0, 50)
    found = iqm_resampled(sample, patients, runs)
    for row in range(50):
        chosen = np.repeat(np.arange(4), runs[row].astype(int))
        means = nanmean(values[:, :, chosen], axis=2)
        drawn = np.repeat(means, patients[row].astype(int), axis=1)
        assert found[row] == pytest.approx(interquartile_mean(drawn.T))


def test_the_interval_is_near_that_of_winsorised_values():
    values = np.random.default_rng(1).standard_t(3, (1, 200, 1))
    [found] = iqm_intervals([Sample(values, (0,))])
    cut = np.clip(values.ravel(), *np.quantile(values, (0.25, 0.75)))
    error = cut.std(ddof=1) / (0.5 * 200**0.5)  # Yuen 1974
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, 99) * error, rel=0.1)


def test_one_outlier_moves_the_interval_little():
    values = np.random.default_rng(1).normal(0.8, 0.01, (1, 40, 1))
    before = np.array(iqm_intervals([Sample(values, (0,))]))
    values[0, 0] = 0.0
    assert np.abs(np.array(iqm_intervals([Sample(values, (0,))])) - before).max() < 0.005
