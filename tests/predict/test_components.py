"""Masks of a published head are processed as its authors do: volumes that are checked by hand."""

import numpy as np
from voxbench.predict.components import largest_components


def scores(*masks) -> np.ndarray:
    """Logits of 1 where a row of voxels is "x", else -1; the background's are 0."""
    rows = [[1.0 if voxel == "x" else -1.0 for voxel in mask] for mask in masks]
    return np.array([[0.0] * len(masks[0]), *rows], np.float32)[:, None, None]


def test_the_largest_component_of_each_class_stays():
    found = largest_components(scores("xx.xxx....", ".......x.x"), [1, 2])
    assert found.ravel().tolist() == [0, 0, 0, 1, 1, 1, 0, 2, 0, 0]


def test_components_are_found_before_classes_overlap():
    found = largest_components(scores("xxxxx.....", "..x....xx."), [1, 2])
    assert found.ravel().tolist() == [1, 1, 1, 1, 1, 0, 0, 2, 2, 0]


def test_of_two_that_overlap_the_later_one_stands_however_likely_the_other():
    one = scores("xxxx......", "..xxxx....")
    one[1] *= 9
    assert largest_components(one, [1, 2]).ravel().tolist() == [1, 1, 2, 2, 2, 2, 0, 0, 0, 0]
    assert largest_components(one, [2, 1]).ravel().tolist() == [1, 1, 1, 1, 2, 2, 0, 0, 0, 0]


def test_voxels_that_touch_at_a_corner_are_one_component():
    one = np.full((2, 3, 3, 3), -1.0, np.float32)
    one[0] = 0
    one[1, 0, 0, 0] = one[1, 1, 1, 1] = one[1, 2, 2, 2] = 1
    assert largest_components(one, [1]).sum() == 3


def test_a_class_that_is_nowhere_or_not_asked_for_is_left_out():
    found = largest_components(scores("xx........", "..........", "....xxx..."), [1, 2])
    assert found.ravel().tolist() == [1, 1, *[0] * 8]


def test_a_probability_of_one_half_is_not_enough():
    assert not largest_components(np.zeros((2, 2, 2, 2), np.float32), [1]).any()
