import numpy as np
import pytest
from scipy import stats
from voxbench.stats.bootstrap import Sample, bootstrap, infer_mean
from voxbench.stats.inference import infer_over_tasks, joined, judge, percentiles_of
from voxbench.stats.interval import TAILS


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
    [found] = percentiles_of(estimates, np.array([0.5]), np.array([1]))
    assert found == pytest.approx((0.5, 0.025, 0.975))


def test_no_resample_has_no_interval():
    [found] = percentiles_of(np.full((3, 1), np.nan), np.array([np.nan]), np.array([0]))
    assert np.isnan(found).all()


def gains(mean, patients=20, runs=3, seed=0):
    values = mean + np.random.default_rng(seed).exponential(0.05, (patients, runs)) - 0.05
    return Sample(values, (0,) * runs)


def test_p_is_where_the_interval_ends_also_where_scores_are_skewed():
    found = infer_mean(gains(0.03))
    [interval] = found.intervals()
    assert found.p(interval.low) == pytest.approx([0.05])
    assert found.p(interval.high) == pytest.approx([0.05])
    assert found.mean[0] - interval.low != pytest.approx(interval.high - found.mean[0], rel=0.01)


def test_in_a_family_an_interval_excludes_zero_exactly_if_its_adjusted_p_is_small():
    parts = [infer_mean(gains(mean, seed=i)) for i, mean in enumerate(np.linspace(0, 0.06, 12))]
    judged = judge(joined(parts))
    excluded = [own.together.low > 0 or own.together.high < 0 for own in judged]
    assert excluded == [own.p_adjusted < 0.05 for own in judged]
    assert 0 < sum(excluded) < sum(own.alone.low > 0 or own.alone.high < 0 for own in judged)
    assert [own.p_adjusted for own in judged] == pytest.approx(
        [min(1, 12 * own.p) for own in judged]
    )


def test_what_has_no_test_is_not_in_the_family():
    nothing = infer_mean(Sample(np.full((4, 2), np.nan), (0, 0)))
    judged = judge(joined([infer_mean(gains(0.03)), nothing]))
    assert judged[0].together == judged[0].alone
    assert np.isnan([*judged[1].together, judged[1].p, judged[1].p_adjusted]).all()
    assert judge(joined([])) == []


def test_one_patient_shows_no_spread():
    found = infer_mean(Sample(np.array([[0.1, 0.2, 0.3]]), (0, 0, 0)))
    [interval] = found.intervals()
    assert interval.mean == pytest.approx(0.2)
    assert np.isnan([interval.low, interval.high, *found.p()]).all()


def test_over_tasks_it_is_students():
    values = np.array([0.1, 0.3, 0.2, 0.25])
    found = infer_over_tasks(values[:, None])
    low, high = stats.t.interval(1 - 2 * TAILS[0], 3, values.mean(), stats.sem(values))
    assert found.intervals()[0] == pytest.approx((values.mean(), low, high))
    assert found.p(0.1)[0] == pytest.approx(stats.ttest_1samp(values, 0.1).pvalue)


def test_two_tasks_have_a_mean_and_no_interval():
    [interval] = infer_over_tasks(np.array([[0.1], [0.3], [np.nan]])).intervals()
    assert interval.mean == pytest.approx(0.2)
    assert np.isnan(interval[1:]).all()


def test_five_tasks_hold_the_truth_as_often_as_they_say():
    points = np.random.default_rng(0).normal(0, 1, (5, 4000))
    ends = np.array(infer_over_tasks(points).intervals())
    assert np.mean((ends[:, 1] < 0) & (ends[:, 2] > 0)) == pytest.approx(0.95, abs=0.01)
