import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from voxbench.stats.bootstrap import Sample, bootstrap, estimate, infer_each, infer_mean
from voxbench.stats.paired import effect_verdict


def one_run(values):
    return Sample(np.asarray(values, dtype=float)[:, None], (0,))


def percentiles(sample, resamples=10_000):
    """Mean and 95% percentiles of the resampled means, before any stretching."""
    found = estimate([Sample(sample.values[None], sample.draws)], resamples)
    return found.points[0, 0], *np.quantile(found.drawn[0, :, 0], (0.025, 0.975))


def test_the_percentiles_of_one_run_are_those_of_scipy():
    values = np.random.default_rng(1).normal(0.02, 0.05, 40)
    mean, low, high = percentiles(one_run(values), resamples=50_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=50_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert mean == pytest.approx(values.mean())
    assert low == pytest.approx(theirs.low, abs=5e-4)
    assert high == pytest.approx(theirs.high, abs=5e-4)


def test_equal_patients_leave_no_doubt():
    assert bootstrap(one_run([0.3] * 7)) == pytest.approx((0.3, 0.3, 0.3))


def test_two_patients_by_hand():
    # the mean of two draws from {0, 1} is 0 or 1 with a quarter each: both tails exceed 2.5%
    assert percentiles(one_run([0, 1])) == (0.5, 0.0, 1.0)


def test_the_same_sample_gives_the_same_interval():
    sample = one_run(np.arange(30.0))
    assert bootstrap(sample) == bootstrap(sample)


def test_runs_that_only_repeat_a_patient_add_nothing():
    values = np.random.default_rng(3).normal(size=25)
    repeated = Sample(np.repeat(values[:, None], 4, axis=1), (0, 0, 0, 0))
    assert bootstrap(repeated) == pytest.approx(bootstrap(one_run(values)))


def test_luck_shared_by_all_patients_of_a_run_widens_the_interval():
    # two runs that differ by 1 for every patient: n - 1 = 1 run is drawn, so either is all there is
    sample = Sample(np.tile([0.0, 1.0], (50, 1)), (0, 0))
    assert percentiles(sample) == (0.5, 0.0, 1.0)


def test_draws_are_resampled_above_seeds():
    # the draws differ, the seeds within a draw do not: three seeds a draw are no evidence
    seeds_agree = Sample(np.tile([0.0, 0, 0, 1, 1, 1], (50, 1)), (0, 0, 0, 1, 1, 1))
    assert percentiles(seeds_agree) == (0.5, 0.0, 1.0)


def test_over_tasks_patients_do_not_count():
    tasks = [one_run([value] * 20) for value in (0.0, 1.0, 2.0)]
    low, high = stats.t.interval(0.95, 2, 1.0, stats.sem([0.0, 1.0, 2.0]))
    assert bootstrap(*tasks) == pytest.approx((1.0, low, high))


def test_a_task_counts_once_however_many_patients_it_has():
    assert bootstrap(one_run([0.0] * 100), one_run([1.0] * 4)).mean == pytest.approx(0.5)


def test_undefined_scores_are_left_out():
    values = np.random.default_rng(4).normal(size=(20, 2))
    values[3] = np.nan
    known = bootstrap(Sample(np.delete(values, 3, axis=0), (0, 0)))
    found = bootstrap(Sample(values, (0, 0)))
    assert found.mean == pytest.approx(known.mean)
    assert found.low == pytest.approx(known.low, abs=0.05)
    assert found.high == pytest.approx(known.high, abs=0.05)


def test_a_patient_with_one_undefined_run_still_counts_once():
    values = np.array([[0.0, 0.0], [1.0, np.nan]])
    assert bootstrap(Sample(values, (0, 0))).mean == pytest.approx(0.5)


def test_nothing_defined_has_no_interval():
    assert np.isnan(bootstrap(Sample(np.full((3, 2), np.nan), (0, 0)))).all()
    assert np.isnan(bootstrap(Sample(np.empty((0, 0)), ()))).all()


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.floats(-2, 2))
def test_the_interval_holds_the_mean_and_moves_with_it(values, shift):
    here = bootstrap(one_run(values), resamples=500)
    there = bootstrap(one_run(np.add(values, shift)), resamples=500)
    assert here.low - 1e-9 <= here.mean <= here.high + 1e-9 or len(values) < 4
    assert np.subtract(there, here) == pytest.approx([shift] * 3, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("shared_luck", [0.0, 0.003])
def test_two_equal_arms_are_rarely_called_different(shared_luck):
    """A/A: patients, runs and their interaction vary as in small fine-tunings; no true effect."""
    rng = np.random.default_rng(5)
    wrong, repeats, patients, runs = 0, 500, 40, 3
    for _ in range(repeats):
        values = (
            rng.normal(0, 0.02, (patients, 1))
            + rng.normal(0, shared_luck, (1, runs))
            + rng.normal(0, 0.02, (patients, runs))
        )
        interval = bootstrap(Sample(values, (0,) * runs), resamples=2000)
        wrong += effect_verdict(interval, patients, margin=1e-9) != "undecided"
    assert wrong / repeats <= 0.05


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(500):
        values = 0.01 + rng.normal(0, 0.02, (60, 1)) + rng.normal(0, 0.01, (60, 3))
        interval = bootstrap(Sample(values, (0, 0, 0)), resamples=2000)
        held += interval.low <= 0.01 <= interval.high
    assert 0.93 <= held / 500 <= 0.99


def test_many_samples_are_judged_as_each_by_itself():
    random = np.random.default_rng(3)
    gap = random.random((5, 2))
    gap[1, 0] = gap[3] = np.nan
    samples = [
        Sample(random.random((5, 2)), (0, 0)),
        Sample(gap, (0, 0)),
        Sample(np.full((5, 2), np.nan), (0, 0)),
        Sample(random.random((5, 2)), (0, 0)),
        Sample(random.random((4, 3)), (0, 1, 1)),
        Sample(np.empty((0, 0)), ()),
    ]
    together = infer_each(samples).intervals(6)
    alone = [infer_mean(sample).intervals(6)[0] for sample in samples]
    np.testing.assert_allclose(together, alone)
    assert infer_each([]).intervals() == []
