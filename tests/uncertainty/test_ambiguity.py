"""Maps and masks against several raters, and intervals over patients."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.uncertainty.ambiguity import Masks, energy_distance, normalised_cross_correlation
from voxbench.uncertainty.intervals import over_patients

EMPTY, LEFT, BOTH = (np.array(mask, bool) for mask in ([0, 0], [1, 0], [1, 1]))


def test_raters_vary_where_they_differ():
    assert Masks.of([LEFT, BOTH]).variance.tolist() == [0, 0.25]
    with pytest.raises(ValueError, match="no mask"):
        Masks.of([])


def test_a_map_correlates_with_the_variance_but_not_where_raters_agree_everywhere():
    u = np.array([0.1, 0.4, 0.2])
    assert normalised_cross_correlation(u, 2 * u + 1) == pytest.approx(2 / 3)
    assert normalised_cross_correlation(u, -u) == pytest.approx(-2 / 3)
    assert math.isnan(normalised_cross_correlation(u, Masks.of([u > 0, u > 0]).variance))
    assert math.isnan(normalised_cross_correlation(np.full(3, 0.1), u))


def test_energy_distances_by_hand():
    assert energy_distance(Masks.of([LEFT]), Masks.of([LEFT])) == 0
    assert energy_distance(Masks.of([LEFT]), Masks.of([BOTH])) == pytest.approx(2 / 3)
    assert energy_distance(Masks.of([EMPTY]), Masks.of([EMPTY])) == 0


def test_masks_that_are_all_empty_agree_where_values_has_them_disagree():
    assert energy_distance(Masks.of([EMPTY] * 2), Masks.of([BOTH])) == 2


@given(st.integers(0, 99))
def test_a_distance_of_votes_is_that_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.random((3, 9)) < 0.4, rng.random((2, 9)) < 0.6

    def far(one, other):
        pairs = list(itertools.product(one, other))
        both = sum((a & b).sum() for a, b in pairs)
        total = sum(a.sum() + b.sum() for a, b in pairs)
        return 1 - 2 * both / total if total else 0

    expected = 2 * far(ours, theirs) - far(ours, ours) - far(theirs, theirs)
    assert energy_distance(Masks.of(ours), Masks.of(theirs)) == pytest.approx(expected)


def test_an_interval_is_wider_where_cases_are_of_few_patients():
    values = np.random.default_rng(0).normal(0, 1, 40)

    def mean(cases):
        return [float(values[cases].mean())]

    [alone] = over_patients(mean, [str(case) for case in range(40)], 300)
    values = np.repeat(values[:10], 4)
    [together] = over_patients(mean, [str(case // 4) for case in range(40)], 300)
    [split] = over_patients(mean, [str(case) for case in range(40)], 300)
    assert alone.low < alone.mean < alone.high
    assert together.mean == split.mean
    assert together.high - together.low > 1.5 * (split.high - split.low)
