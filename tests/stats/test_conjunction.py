import math

import numpy as np
import pytest
from voxbench.stats.bootstrap import Sample, infer_mean
from voxbench.stats.conjunction import p_at_least, p_beyond

NAN = math.nan


def normal(mean, luck=0.0, patients=30, runs=3, seed=0):
    rng = np.random.default_rng(seed)
    values = mean + rng.normal(0, 0.1, (patients, runs)) + rng.normal(0, luck, runs)
    return infer_mean(Sample(values, (0,) * runs), resamples=2000)


def test_the_further_beyond_the_bound_the_smaller_p():
    found = normal(0.1, runs=5)
    p = [p_beyond(found, bound) for bound in (0.0, 0.05, 0.09)]
    assert p == sorted(p)
    assert p[0] < 0.001 < p[-1]


def test_on_the_wrong_side_of_the_bound_p_is_1():
    assert p_beyond(normal(0.1), 0.2) == 1.0
    assert p_beyond(normal(0.1), 0.0, side=-1) == 1.0


def test_without_a_value_there_is_no_p():
    assert math.isnan(p_beyond(infer_mean(Sample(np.full((4, 2), NAN), (0, 0))), 0.0))


def test_luck_of_runs_is_in_p():
    assert p_beyond(normal(0.05, luck=0.1, patients=200), 0.0) > 0.05


def test_two_equal_arms_with_luck_seldom_make_a_claim():
    said = sum(p_beyond(normal(0, 0.03, seed=seed), 0.0) < 0.05 for seed in range(400))
    assert said / 400 < 0.035  # above the bound only: half of the two-sided error


@pytest.mark.parametrize(("count", "p"), [(1, 0.03), (2, 0.08), (3, 0.2)])
def test_at_least_so_many_of_three(count, p):
    assert p_at_least([0.2, 0.01, 0.04], count) == pytest.approx(p)


def test_what_was_not_tested_does_not_count():
    assert p_at_least([NAN, 0.01], 1) == 0.01
    assert math.isnan(p_at_least([NAN, 0.01], 2))


def test_it_is_at_most_1():
    assert p_at_least([0.9, 0.9], 1) == 1.0
