"""Masks of a published head are processed as its authors do: volumes that are checked by hand."""

import numpy as np
from voxbench.predict.components import Masks, largest_components


def masks(*rows: str) -> Masks:
    """One a class, of a row of voxels that are "x" or not."""
    found = Masks(len(rows), (1, 1, len(rows[0])))
    drawn = [[voxel == "x" for voxel in row] for row in rows]
    found.put((0, 0, 0), np.array(drawn)[:, None, None])
    return found


def test_the_largest_component_of_each_class_stays():
    found = largest_components(masks("xx.xxx....", ".......x.x"), [1, 2])
    assert found.ravel().tolist() == [0, 0, 0, 1, 1, 1, 0, 2, 0, 0]


def test_components_are_found_before_classes_overlap():
    found = largest_components(masks("xxxxx.....", "..x....xx."), [1, 2])
    assert found.ravel().tolist() == [1, 1, 1, 1, 1, 0, 0, 2, 2, 0]


def test_of_two_that_overlap_the_later_one_stands():
    one = masks("xxxx......", "..xxxx....")
    assert largest_components(one, [1, 2]).ravel().tolist() == [1, 1, 2, 2, 2, 2, 0, 0, 0, 0]
    assert largest_components(one, [2, 1]).ravel().tolist() == [1, 1, 1, 1, 2, 2, 0, 0, 0, 0]


def test_voxels_that_touch_at_a_corner_are_one_component():
    corners = np.zeros((1, 3, 3, 3), bool)
    corners[0, 0, 0, 0] = corners[0, 1, 1, 1] = corners[0, 2, 2, 2] = True
    one = Masks(1, (3, 3, 3))
    one.put((0, 0, 0), corners)
    assert largest_components(one, [1]).sum() == 3


def test_a_class_that_is_nowhere_or_not_asked_for_is_left_out():
    found = largest_components(masks("xx........", "..........", "....xxx..."), [1, 2])
    assert found.ravel().tolist() == [1, 1, *[0] * 8]


def test_masks_of_more_classes_than_a_byte_has_bits_come_back_part_by_part():
    drawn = np.random.default_rng(0).random((19, 4, 5, 6)) < 0.5
    kept = Masks(19, (4, 5, 6))
    kept.put((0, 0, 0), drawn[:, :2])
    kept.put((2, 0, 0), drawn[:, 2:])
    assert all(np.array_equal(kept.of(index), drawn[index - 1]) for index in range(1, 20))
