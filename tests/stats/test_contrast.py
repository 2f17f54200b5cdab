import numpy as np
import pytest
from scipy import stats
from voxbench.stats.bootstrap import Sample
from voxbench.stats.contrast import contrast


def effects(mean, deviation, seed, patients=10):
    return np.random.default_rng(seed).normal(mean, deviation, (patients, 1))


def test_with_one_run_the_interval_is_welchs():
    one, other = effects(0.1, 0.05, seed=0), effects(0.0, 0.01, seed=1)
    [found] = contrast(Sample(one, (0,)), Sample(other, (0,))).intervals()
    welch = stats.ttest_ind(one[:, 0], other[:, 0], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(welch))


def test_p_is_that_of_welch():
    one, other = effects(0.1, 0.05, seed=0), effects(0.0, 0.01, seed=1)
    p = contrast(Sample(one, (0,)), Sample(other, (0,))).p()
    assert p == pytest.approx([stats.ttest_ind(one[:, 0], other[:, 0], equal_var=False).pvalue])


def test_luck_that_a_run_gives_to_both_groups_cancels():
    luck = np.array([0.0, 0.2, 0.4])
    groups = [Sample(effects(0.1, 0.001, seed) + luck, (0, 0, 0)) for seed in (0, 1)]
    found = contrast(*groups)
    [interval] = found.intervals()
    assert interval.high - interval.low < 0.01
    assert found.p()[0] > 0.05


def test_equal_groups_have_p_1():
    group = Sample(effects(0.1, 0.01, seed=0), (0,))
    assert contrast(group, group).p() == [1.0]
