"""Lesion by lesion: counts and Dice that can be checked by hand."""

import math
import sys

import numpy as np
import pytest
from voxbench.errors import SpecError
from voxbench.score.lesions import LesionScores, score_lesions


def cubes(*places):
    """A mask with a block of `size` at each place."""
    mask = np.zeros((20, 20, 20), np.uint8)
    for (x, y, z), size in places:
        mask[x : x + size[0], y : y + size[1], z : z + size[2]] = 1
    return mask


REFERENCE = cubes(((1, 1, 1), (3, 3, 3)), ((8, 8, 8), (4, 4, 4)), ((15, 15, 15), (3, 3, 3)))
PREDICTION = cubes(((1, 1, 1), (3, 3, 2)), ((8, 8, 8), (4, 4, 4)), ((0, 15, 0), (3, 3, 3)))
"""One is found in part (Dice 0.8), one whole, one missed; one is false."""


def test_found_missed_and_false_lesions_are_counted():
    pytest.importorskip("panoptica")
    found = score_lesions(PREDICTION, REFERENCE)
    assert found[:3] == (3, 3, 2)
    assert found.dice_found == pytest.approx((0.8 + 1) / 2)
    assert found.f1 == pytest.approx(2 * 2 / 6)
    assert found.dice == pytest.approx((0.8 + 1 + 0 + 0) / 4)


def test_lesions_that_touch_by_a_corner_are_one():
    pytest.importorskip("panoptica")
    one = cubes(((2, 2, 2), (3, 3, 3)), ((5, 5, 5), (3, 3, 3)))
    assert score_lesions(one, one)[:3] == (1, 1, 1)
    assert score_lesions(one[..., 4:5], one[..., 4:5])[:3] == (1, 1, 1)


def test_what_overlaps_by_less_than_a_tenth_is_not_found():
    pytest.importorskip("panoptica")
    reference = cubes(((0, 0, 0), (10, 10, 10)))
    assert score_lesions(cubes(((0, 0, 0), (10, 10, 1))), reference).found == 1
    assert score_lesions(cubes(((0, 0, 0), (10, 9, 1))), reference).found == 0


def test_empty_masks_are_undefined_or_nothing():
    pytest.importorskip("panoptica")
    nothing = np.zeros_like(REFERENCE)
    assert math.isnan(score_lesions(nothing, nothing).f1)
    assert math.isnan(score_lesions(nothing, nothing).dice)
    assert score_lesions(PREDICTION, nothing)[:3] == (0, 3, 0)
    assert score_lesions(nothing, REFERENCE)[:3] == (3, 0, 0)


def test_missed_and_false_lesions_have_a_dice_of_zero():
    assert LesionScores(3, 3, 0, math.nan).dice == 0
    assert LesionScores(0, 2, 0, math.nan).dice == 0
    assert LesionScores(2, 2, 1, 0.9).dice == pytest.approx(0.3)
    assert LesionScores(2, 2, 1, 0.9).f1 == 0.5


def test_without_panoptica_it_is_said_how_to_come_by_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "panoptica", None)
    with pytest.raises(SpecError, match=r"pip install 'voxbench\[lesions\]'"):
        score_lesions(PREDICTION, REFERENCE)
