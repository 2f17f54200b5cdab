import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data.resample import (
    resample_argmax,
    resample_image,
    resample_labels,
    resample_nearest,
    resample_scores,
    taps_between,
)

SIDES = st.tuples(*[st.integers(1, 9)] * 3)


def test_a_ramp_stays_a_ramp():
    ramp = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((1, 3, 3), np.float32)
    fine = resample_image(ramp, (16, 3, 3))[:, 0, 0]
    # centres at ±1/4 voxel around each; the ends repeat the border
    assert fine[1:-1].tolist() == [k / 2 - 0.25 for k in range(1, 15)]
    assert fine[[0, -1]].tolist() == [0, 7]


@given(SIDES, SIDES, st.integers(0, 99))
def test_interpolation_keeps_the_range_and_a_constant(shape, target, seed):
    image = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    found = resample_image(image, target)
    assert found.shape == target
    assert found.min() >= image.min() - 1e-5
    assert found.max() <= image.max() + 1e-5
    assert np.allclose(resample_image(np.full(shape, 3, np.float32), target), 3)


@given(SIDES, SIDES, st.integers(0, 99))
def test_the_strongest_class_is_the_largest_of_the_interpolated_scores(shape, target, seed):
    scores = np.random.default_rng(seed).normal(size=(3, *shape)).astype(np.float32)
    each = np.stack([resample_image(score, target) for score in scores])
    found = resample_argmax(scores, taps_between(shape, target))
    chosen = np.take_along_axis(each, found[None].astype(int), 0)[0]
    assert np.all(chosen >= each.max(0) - 1e-5)


@given(SIDES, SIDES, st.integers(0, 99))
def test_a_vote_between_labels_is_the_strongest_of_their_masks(shape, target, seed):
    label = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    masks = np.stack([label == value for value in range(3)]).astype(np.float32)
    each = np.stack([resample_image(mask, target) for mask in masks])
    found = resample_labels(label, target)
    chosen = np.take_along_axis(each, found[None].astype(int), 0)[0]
    assert np.all(chosen >= each.max(0) - 1e-5)


def test_on_the_same_grid_nothing_changes():
    label = np.random.default_rng(0).integers(0, 5, (6, 7, 8)).astype(np.uint8)
    assert resample_labels(label, (6, 7, 8)) is label
    scores = np.stack([label == value for value in range(5)]).astype(np.float32)
    assert np.array_equal(resample_argmax(scores, taps_between((6, 7, 8), (6, 7, 8))), label)


def test_scores_are_themselves_where_no_voxel_lies_between_two():
    scores = np.random.default_rng(0).normal(size=(2, 9, 6, 5)).astype(np.float32)
    found = resample_scores(scores, taps_between((9, 6, 5), (9, 6, 5)))
    assert np.shares_memory(found, scores)
    assert np.array_equal(found, scores)
    x, y, z = taps_between((9, 6, 5), (9, 6, 5))
    part = resample_scores(scores[:, 2:], (x.within(slice(3, 5), 2, 7), y, z))
    assert np.array_equal(part, scores[:, 3:5])
    assert np.array_equal(
        resample_scores(scores, taps_between((9, 6, 5), (3, 6, 5))), scores[:, 1::3]
    )


def test_the_nearest_voxel_is_the_one_that_a_centre_lies_in():
    label = np.array([1, 2, 3], np.uint8)[:, None, None]
    assert resample_nearest(label, (5, 1, 1)).ravel().tolist() == [1, 1, 2, 3, 3]
    assert resample_nearest(label, (2, 1, 1)).ravel().tolist() == [1, 3]
    assert resample_nearest(label, (3, 1, 1)).ravel().tolist() == [1, 2, 3]
