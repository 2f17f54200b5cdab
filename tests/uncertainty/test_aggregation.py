"""Scores of small maps, which can be added up by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.uncertainty.aggregation import (
    boundary_weights,
    foreground_mean,
    image_mean,
    image_sum,
    patch_maximum,
    threshold_mean,
    validation_threshold,
    weighted_mean,
)
from voxbench.uncertainty.agreement import class_dice, pairwise_dice

LINE = np.array([0.0, 1.0, 2.0, 0.0, 4.0])


def test_the_sum_grows_with_the_image_and_the_mean_does_not():
    twice = np.concatenate([LINE, LINE])
    assert (image_sum(LINE), image_sum(twice)) == (7, 14)
    assert image_mean(LINE) == image_mean(twice) == 1.4


def test_the_patch_with_the_largest_sum_is_found():
    assert patch_maximum(LINE, 2) == (4, 2, ((3, 5),))
    assert patch_maximum(LINE, 3) == (6, 2, ((2, 5),))


def test_a_patch_larger_than_the_image_is_the_image():
    assert patch_maximum(LINE, 9) == (7, 1.4, ((0, 5),))
    flat = np.arange(8.0).reshape(2, 4)
    assert patch_maximum(flat, 3) == (1 + 2 + 3 + 5 + 6 + 7, 4, ((0, 2), (1, 4)))


@given(st.integers(0, 99), st.tuples(*[st.integers(1, 5)] * 3))
def test_a_patch_is_the_first_that_a_search_of_all_boxes_finds(seed, sides):
    u = np.random.default_rng(seed).integers(0, 9, (5, 6, 7)).astype(np.float32)
    sums = np.lib.stride_tricks.sliding_window_view(u, sides).sum(axis=(3, 4, 5))
    start = np.unravel_index(sums.argmax(), sums.shape)
    found = patch_maximum(u, sides)
    assert found.sum == sums.max()
    assert found.box == tuple((at, at + side) for at, side in zip(start, sides, strict=True))


def test_a_threshold_leaves_as_much_as_is_foreground():
    maps = [np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 0.6, 0.7, 0.8])]
    assert validation_threshold(maps, [0.25, 0.75]) == pytest.approx(0.45)
    assert maps[0].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_what_equals_the_threshold_counts_and_nothing_above_it_is_zero():
    assert threshold_mean(LINE, 2.0) == 3
    assert threshold_mean(LINE, 5.0) == 0


def test_the_foreground_has_a_mean_of_its_own_and_none_where_it_is_empty():
    assert foreground_mean(LINE, LINE > 1) == 3
    assert math.isnan(foreground_mean(LINE, LINE > 9))


def test_voxels_at_the_boundary_weigh_most():
    inside = np.array([False, False, True, True, True])
    weights = np.exp(-np.array([4.0, 2.0, 2.0, 4.0, 6.0]) / 5)
    found = weighted_mean(LINE, boundary_weights(inside, (2.0,)))
    assert found == pytest.approx((weights @ LINE) / weights.sum())
    assert math.isnan(weighted_mean(LINE, boundary_weights(~inside | inside, (1.0,))))
    assert math.isnan(weighted_mean(LINE, boundary_weights(~inside & inside, (1.0,))))


def test_dice_of_a_class_that_neither_has_is_undefined_and_left_out():
    one, other = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 3])
    assert class_dice(one, other, 4) == pytest.approx([2 / 3, math.nan, 0], nan_ok=True)
    assert pairwise_dice([one, other], 4) == pytest.approx(1 / 3)


def test_members_that_find_nothing_agree_and_one_alone_has_no_pair():
    nothing, something = np.zeros(3, int), np.ones(3, int)
    assert pairwise_dice([nothing, nothing], 2) == 1
    assert pairwise_dice([nothing, nothing, something], 2) == pytest.approx(1 / 3)
    assert math.isnan(pairwise_dice([something], 2))
