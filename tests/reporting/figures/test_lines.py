"""Names beside lines are moved apart where they would overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.reporting.figures.lines import _apart


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.05, 0.1])), min_size=1, max_size=10))
def test_names_are_moved_apart_in_their_order(lines):
    heights, room = np.array(lines).T
    found = _apart(heights, room, -0.1)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(found[order]) >= room[order][1:] - 1e-9).all()
    assert found.min() >= -0.1 - 1e-9
    assert found.max() <= 1 + 1e-9


def test_names_that_have_room_stay_where_their_lines_end():
    heights = np.array([0.9, 0.1, 0.5])
    assert _apart(heights, np.full(3, 0.1), -0.1) == pytest.approx(heights)


def test_too_many_names_share_the_place_there_is():
    found = _apart(np.full(50, 0.5), np.full(50, 0.1), 0.0)
    assert (found[0], found[-1]) == pytest.approx((0.0, 1.0))
