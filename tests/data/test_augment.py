from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data import augment as room
from voxbench.data.augment import augment
from voxbench.data.patches import Batch

SIDE = 12
FLIPS = [axes for count in range(4) for axes in combinations((2, 3, 4), count)]


def batch(seed=0, size=2):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, (size, SIDE, SIDE, SIDE)).astype(np.uint8)
    images = random.normal(size=(size, 2, SIDE, SIDE, SIDE)).astype(np.float32)
    return Batch(images, labels, np.ones((size, 2), bool), images.min((2, 3, 4)))


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("level", ["light", "full"])
def test_it_is_a_function_of_seed_and_step_and_leaves_its_input_alone(level):
    given_batch, untouched = batch(), batch()
    found = [augment(given_batch, level, seed=1, step=step) for step in range(8)]
    assert same(given_batch, untouched)
    assert all(same(augment(given_batch, level, 1, step), found[step]) for step in (7, 0, 3))
    assert len({one.images.tobytes() for one in found}) == 8
    assert not same(augment(given_batch, level, seed=2, step=0), found[0])


def test_none_changes_nothing():
    assert augment(batch(), "none", 0, 0) is not None
    assert same(augment(batch(), "none", 0, 0), batch())


@pytest.mark.parametrize("level", ["light", "full"])
@given(seed=st.integers(0, 200))
def test_shapes_types_and_classes_are_kept_and_values_are_finite(level, seed):
    before = batch(seed)
    after = augment(before, level, seed, step=0)
    assert after.images.shape == before.images.shape
    assert after.images.dtype == np.float32
    assert after.labels.dtype == np.uint8
    assert np.isfinite(after.images).all()
    assert set(np.unique(after.labels)) <= {0, 1, 2}
    assert np.array_equal(after.labelled, before.labelled)


def test_spatial_moves_voxels_and_changes_no_intensity():
    before = batch(size=1)
    moved = {}
    for step in range(30):
        after = augment(before, "spatial", 1, step, mirrors=(0, 1, 2))
        flipped = [np.flip(before.images, axes) for axes in FLIPS]
        moved[step] = not any(np.array_equal(after.images, one) for one in flipped)
        assert after.images.min() >= before.images.min()
        assert after.images.max() <= before.images.max()
    assert 0 < sum(moved.values()) < 20, "one patch of five is turned, one is scaled"


def test_a_constant_patch_stays_finite():
    flat = Batch(
        np.ones((1, 1, 8, 8, 8), np.float32),
        np.zeros((1, 8, 8, 8), np.uint8),
        np.ones((1, 1), bool),
        np.ones((1, 1), np.float32),
    )
    assert all(np.isfinite(augment(flat, "full", 0, step).images).all() for step in range(50))


def test_mirroring_moves_image_and_label_together_and_only_along_allowed_axes(monkeypatch):
    monkeypatch.setattr(room, "_shifted", lambda image, _random: image)
    place = np.arange(SIDE**3).reshape(SIDE, SIDE, SIDE)
    labels = (place % 251).astype(np.uint8)[None]
    images, outside = labels[:, None].astype(np.float32), np.zeros((1, 1), np.float32)
    one = Batch(images, labels, np.ones((1, 2), bool), outside)
    seen = set()
    for step in range(40):
        found = augment(one, "light", 0, step, mirrors=(1, 2))
        assert np.array_equal(found.images[0, 0], found.labels[0])
        seen.add(found.labels.tobytes())
    flipped = [labels[0][:, ::b, ::c].tobytes() for b in (1, -1) for c in (1, -1)]
    assert seen == set(flipped)


def test_a_rotation_turns_image_and_label_alike_and_fills_with_what_lies_outside():
    label = np.zeros((32, 32, 32), np.uint8)
    label[8:24, 14:18, 14:18] = 1
    image = (label * 5.0 - 1).astype(np.float32)[None]

    class Dice:
        """Rotates by 30° about the last axis, without scaling."""

        def random(self, count):
            return np.array([0.0, 1.0])

        def uniform(self, low, high, count):
            return np.array([0.0, 0.0, high])

    moved, classes = room._transformed(image, label, np.array([-3.0], np.float32), Dice())
    inside = classes > 0
    assert moved[0][inside].mean() > 3
    assert moved.min() == -3
    # the bar of 16 voxels now points 30° away from the first axis
    where = np.argwhere(inside) - 15.5
    direction = np.linalg.svd(where, full_matrices=False)[2][0]
    assert abs(direction[0]) == pytest.approx(np.cos(np.pi / 6), abs=0.03)
    assert np.count_nonzero(inside) == pytest.approx(np.count_nonzero(label), rel=0.1)
