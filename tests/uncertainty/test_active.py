"""Queries and what they gain, by hand."""

import math

import numpy as np
import pytest
from voxbench.uncertainty.active import improvement, query


def test_the_least_sure_are_queried_first_and_equals_by_their_place():
    assert query(["a", "b", "c", "d", "e"], np.array([1, 3, 2, 3, 0])) == ["b", "d"]
    assert query(["a", "b"], np.array([1.0, 2.0]), 0.4) == []


def test_a_case_without_a_score_is_no_choice():
    with pytest.raises(ValueError, match="every case has a score"):
        query(["a"], np.array([math.nan]))


def test_a_gain_is_a_share_of_what_was_there():
    assert improvement(0.5, 0.7, 0.6) == pytest.approx(0.2)
    assert math.isnan(improvement(0.0, 0.3, 0.2))
