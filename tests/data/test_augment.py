from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data import augment as room
from voxbench.data.augment import augment, moves
from voxbench.data.patches import Batch
from voxbench.data.spatial import Moves

SIDE = 12
FLIPS = [axes for count in range(4) for axes in combinations((2, 3, 4), count)]


def batch(seed=0, size=2):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, (size, SIDE, SIDE, SIDE)).astype(np.uint8)
    images = random.normal(size=(size, 2, SIDE, SIDE, SIDE)).astype(np.float32)
    return Batch(images, labels, np.ones((size, 2), bool))


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


def test_spatial_mirrors_and_changes_no_intensity():
    before = batch(size=1)
    seen = set()
    for step in range(60):
        after = augment(before, "spatial", 1, step, mirrors=(0, 1, 2))
        flipped = [np.flip(before.images, axes) for axes in FLIPS]
        seen.update(i for i, one in enumerate(flipped) if np.array_equal(after.images, one))
        assert any(np.array_equal(after.images, one) for one in flipped)
    assert seen == set(range(8))


def test_light_scales_shifts_and_mirrors_as_it_always_did():
    before = batch(seed=2)
    after = augment(before, "light", 5, step=3, mirrors=(0, 2))
    for slot in range(2):
        random = np.random.default_rng([5, 3, slot, 3])
        channels = []
        for channel in before.images[slot]:
            scale, offset = random.uniform(0.9, 1.1), random.uniform(-0.1, 0.1)
            channels.append(channel * np.float32(scale) + np.float32(offset * channel.std()))
        turned = [axis for axis in range(3) if random.random() < 0.5 and axis in (0, 2)]
        expected = np.flip(np.stack(channels), [axis + 1 for axis in turned])
        assert np.array_equal(after.images[slot], expected)
        assert np.array_equal(after.labels[slot], np.flip(before.labels[slot], turned))


def test_only_spatial_and_full_turn_and_scale_and_only_what_is_allowed():
    assert moves("none", 0) is None
    assert moves("light", 0) is None
    assert moves("spatial", 7) == moves("full", 7) == Moves(7)
    assert moves("full", 7, {"rotation"}) == Moves(7, rotation=False)
    assert moves("full", 7, {"scaling", "mirror"}) == Moves(7, scaling=False)
    assert moves("full", 7, thick=2) == Moves(7, thick=2)


def test_a_constant_patch_stays_finite():
    flat = Batch(
        np.ones((1, 1, 8, 8, 8), np.float32),
        np.zeros((1, 8, 8, 8), np.uint8),
        np.ones((1, 1), bool),
    )
    assert all(np.isfinite(augment(flat, "full", 0, step).images).all() for step in range(50))


def test_mirroring_moves_image_and_label_together_and_only_along_allowed_axes(monkeypatch):
    monkeypatch.setattr(room, "_shifted", lambda image, _random: image)
    place = np.arange(SIDE**3).reshape(SIDE, SIDE, SIDE)
    labels = (place % 251).astype(np.uint8)[None]
    one = Batch(labels[:, None].astype(np.float32), labels, np.ones((1, 2), bool))
    seen = set()
    for step in range(40):
        found = augment(one, "light", 0, step, mirrors=(1, 2))
        assert np.array_equal(found.images[0, 0], found.labels[0])
        seen.add(found.labels.tobytes())
    flipped = [labels[0][:, ::b, ::c].tobytes() for b in (1, -1) for c in (1, -1)]
    assert seen == set(flipped)
