"""Shares of the spread of results by factor, by hand."""

import numpy as np
import pytest
from voxbench.stats.shares import variance_shares

MODEL = np.array([0, 0, 0, 1, 1, 1])
MEASURE = np.array([0, 1, 2, 0, 1, 2])


def shares(values, factors=(MODEL, MEASURE)):
    return variance_shares(np.array([values], float), factors)[0].tolist()


def test_a_factor_that_all_follows_has_everything():
    assert shares([1, 1, 1, 5, 5, 5]) == pytest.approx([1, 0, 0])
    assert shares([1, 2, 4, 1, 2, 4]) == pytest.approx([0, 1, 0])


def test_additive_effects_share_the_sum_of_squares():
    # ±1 of the model: 6; −1, 0, 1 of the measure: 2 · 2
    assert shares([-2, -1, 0, 0, 1, 2]) == pytest.approx([0.6, 0.4, 0])


def test_an_interaction_is_the_rest():
    assert shares([1, -1, 0, -1, 1, 0]) == pytest.approx([0, 0, 1])


def test_a_missing_combination_takes_nothing_from_what_fits():
    kept = [0, 1, 3, 4, 5]
    own = np.array([-2, -1, 0, 0, 1, 2])[kept]
    found = shares(own, (MODEL[kept], MEASURE[kept]))
    assert found[2] == pytest.approx(0)
    assert found[0] > 0 < found[1]


def test_equal_results_have_no_shares():
    assert np.isnan(shares([0.3] * 6)).all()
