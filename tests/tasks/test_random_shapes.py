"""Random shapes: the same bytes everywhere, every kind in sight, no volume in two parts."""

import hashlib

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from voxbench_tasks.random_shapes import (
    SHAPES_PARTS,
    SIDE,
    STRETCH,
    RandomShapes,
    draw_image,
    draw_shapes,
    random_rotation,
)


def test_a_seed_gives_the_same_bytes_on_every_machine():
    rng = np.random.default_rng(0)
    label = draw_shapes(rng)
    image = draw_image(rng, label)
    digests = [hashlib.sha256(array.tobytes()).hexdigest()[:12] for array in (label, image)]
    assert digests == ["51bbae3492a8", "480d7b842f80"]


def test_every_kind_is_drawn_and_most_of_a_volume_lies_between_them():
    labels = [draw_shapes(np.random.default_rng(seed)) for seed in range(4)]
    shares = np.bincount(np.concatenate(labels).ravel(), minlength=5) / (4 * SIDE**3)
    assert 0.4 < shares[0] < 0.85
    assert (shares[1:] > 0.01).all()


def test_shells_are_hollow_and_blobs_are_not(monkeypatch):
    """A shell's hole is what of its hull is not filled from outside."""
    holes = {}
    for name in ("shell", "blob"):
        monkeypatch.setattr("voxbench_tasks.random_shapes.STRETCH", {name: (1, 1, 1)})
        solid = draw_shapes(np.random.default_rng(1)) > 0
        holes[name] = (ndimage.binary_fill_holes(solid) & ~solid).sum() / solid.sum()
    assert holes["blob"] < 0.02 < 0.15 < holes["shell"]


def test_a_rotation_keeps_lengths_and_turns_no_mirror():
    matrix = random_rotation(np.random.default_rng(3))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_a_kind_is_as_bright_as_it_happens_to_be():
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(5, dtype=np.uint8), 2000).reshape(10, 10, 100)
    first, second = ([draw_image(rng, label)[label == k].mean() for k in range(5)] for _ in "ab")
    assert np.abs(np.subtract(first, second)).max() > 30
    assert all(20 < mean < 230 for mean in first)


def test_files_are_drawn_once_and_parts_share_no_volume(tmp_path, monkeypatch):
    monkeypatch.setattr(RandomShapes, "counts", {"validation": 1, "test": 1})
    cases = RandomShapes(root=tmp_path, patients=2).cases()
    assert [len(cases[part]) for part in SHAPES_PARTS] == [2, 1, 1]
    names = [case.id for part in SHAPES_PARTS for case in cases[part]]
    assert len(set(names)) == 4
    one = cases["train"][0]
    label = nibabel.load(one.label)
    assert label.shape == (SIDE,) * 3
    assert label.header.get_zooms() == (1.5, 1.5, 1.5)
    monkeypatch.setattr("voxbench_tasks.random_shapes.draw_shapes", lambda _: pytest.fail("again"))
    assert RandomShapes(root=tmp_path, patients=2).cases() == cases
    assert len(RandomShapes(root=tmp_path, patients=1).cases()["train"]) == 1


@pytest.mark.parametrize("fields", [{"patients": 0}, {"patients": 2.5}, {"seed": -1}])
def test_a_field_out_of_range_is_refused(tmp_path, fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        RandomShapes(root=tmp_path, **fields)


def test_the_card_names_each_kind(tmp_path):
    card = RandomShapes(root=tmp_path).card
    assert tuple(card.classes) == tuple(STRETCH)
    assert card.corpora == ("random-shapes",)
