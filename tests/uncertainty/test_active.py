"""Queries and what they gain, by hand."""

import math

import numpy as np
import pytest
from voxbench.uncertainty.active import improvement, query, within


def test_the_least_sure_are_queried_first_and_equals_by_their_place():
    assert query(["a", "b", "c", "d", "e"], np.array([1, 3, 2, 3, 0])) == ["b", "d"]
    assert query(["a", "b"], np.array([1.0, 2.0]), 0.4) == []


def test_a_case_without_a_score_is_no_choice():
    with pytest.raises(ValueError, match="every case has a score"):
        query(["a"], np.array([math.nan]))


def test_a_budget_of_slices_ends_before_the_case_that_exceeds_it_but_one_is_labelled():
    slices = {"a": 30, "b": 50, "c": 10}
    assert within(["a", "b", "c"], slices, 80) == ["a", "b"]
    assert within(["a", "b", "c"], slices, 79) == ["a"]
    assert within(["b", "a"], slices, 5) == ["b"]
    assert within([], slices, 5) == []


def test_a_gain_is_a_share_of_what_was_there():
    assert improvement(0.5, 0.7, 0.6) == pytest.approx(0.2)
    assert math.isnan(improvement(0.0, 0.3, 0.2))
