"""The folds of a cross-validation as blocks: by hand, and against independent formulas."""

import numpy as np
import pytest
from scipy import stats
from voxbench.stats.blocks import spread_over_folds
from voxbench.stats.bootstrap import Sample, bootstrap, infer_mean
from voxbench.stats.contrast import contrast
from voxbench.stats.iqm import iqm_intervals

FIVE = tuple(i % 5 for i in range(20))


def values(seed=0, patients=20, runs=1, luck=1.0):
    rng = np.random.default_rng(seed)
    shift = luck * rng.normal(size=5)[np.arange(patients) % 5]
    return rng.normal(size=(patients, runs)) + shift[:, None]


def test_equal_folds_give_students_interval_over_their_means():
    own = values()
    means = [own[np.array(FIVE) == fold].mean() for fold in range(5)]
    low, high = stats.t.interval(0.95, 4, np.mean(means), stats.sem(means))
    found = bootstrap(Sample(own, (0,), FIVE))
    assert found == pytest.approx((own.mean(), low, high))


def test_p_is_that_of_the_same_test():
    own = values(3) + 1.0
    means = [own[np.array(FIVE) == fold].mean() for fold in range(5)]
    [p] = infer_mean(Sample(own, (0,), FIVE)).p()
    assert p == pytest.approx(stats.ttest_1samp(means, 0.0).pvalue, rel=1e-3)


def test_folds_of_unequal_size_weigh_by_their_patients():
    own, folds = np.array([[1.0, 2.0, 3.0, 10.0]]), (0, 0, 0, 1)
    found = spread_over_folds(own, folds)
    # residuals about 4: fold 0 sums to −6, fold 1 to 6, each over 4 patients
    assert found.runs == pytest.approx([2 * (1.5**2 + 1.5**2)])
    assert found.runs_freedom == [1.0]


def test_seeds_are_averaged_before():
    twice = np.repeat(values(), 2, axis=1)
    assert bootstrap(Sample(twice, (0, 0), FIVE)) == bootstrap(Sample(values(), (0,), FIVE))


def test_luck_of_folds_widens_what_patients_alone_would_say():
    sample = Sample(values(luck=2.0, patients=100), (0,), tuple(i % 5 for i in range(100)))
    folds, patients = bootstrap(sample), bootstrap(sample._replace(folds=()))
    assert folds.high - folds.low > 2 * (patients.high - patients.low)


def test_one_fold_is_a_split_as_any():
    own = values(runs=3)
    alone = Sample(own, (0, 0, 0), (2,) * 20)
    assert bootstrap(alone) == bootstrap(Sample(own, (0, 0, 0)))


def test_patients_without_a_score_take_no_part():
    own = np.vstack([values(), np.full((5, 1), np.nan)])
    assert bootstrap(Sample(own, (0,), (*FIVE, 0, 1, 2, 3, 4))) == bootstrap(
        Sample(values(), (0,), FIVE)
    )


def test_a_difference_between_groups_takes_the_folds_as_blocks_of_both():
    own, other = values(1), values(2)
    [found] = contrast(Sample(own, (0,), FIVE), Sample(other, (0,), FIVE)).intervals()
    by_fold = [(own - other)[np.array(FIVE) == fold].mean() for fold in range(5)]
    low, high = stats.t.interval(0.95, 4, np.mean(by_fold), stats.sem(by_fold))
    assert found == pytest.approx(((own - other).mean(), low, high))


def test_the_interquartile_mean_is_resampled_by_fold():
    own = values(luck=3.0, patients=100)
    folds = tuple(i % 5 for i in range(100))
    [found] = iqm_intervals([Sample(own[None], (0,), folds)])
    [patients] = iqm_intervals([Sample(own[None], (0,))])
    assert found.high - found.low > patients.high - patients.low
