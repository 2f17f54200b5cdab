"""The controlled data of ValUES: the same bytes everywhere, raters and shifts as described."""

import hashlib
import json
from itertools import pairwise

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from voxbench_tasks.values_toy import (
    SIDE,
    Kind,
    ValuesToy1,
    ValuesToy2,
    ValuesToy3a,
    ValuesToy3b,
    draw,
    outlines,
    smoothed,
)

TOYS = (ValuesToy1, ValuesToy2, ValuesToy3a, ValuesToy3b)
FEW = {"train": (Kind("iid", 2, 2, False, 3),), "test": (Kind("cube", 1, shift="cube"),)}


def several(kind, number, seed=0):
    return [draw(np.random.default_rng([seed, each]), kind) for each in range(number)]


def test_a_seed_gives_the_same_bytes_on_every_machine():
    drawn = draw(np.random.default_rng(0), Kind("blurred", 1, 8, raters=3))
    digests = [hashlib.sha256(a.tobytes()).hexdigest()[:12] for a in (drawn.image, *drawn.masks)]
    assert digests == ["b78a9c8a00f4", "855d3a20101a", "522d596051bd", "2d7a1e49ea3a"]


def test_the_blur_is_that_of_scipy():
    volume = np.random.default_rng(0).random((64, 64, 64))
    np.testing.assert_allclose(
        smoothed(volume, 2), ndimage.gaussian_filter(volume, 2), rtol=0, atol=1e-10
    )


def test_three_raters_outline_a_tenth_a_half_and_all_of_what_is_visible():
    """Of 1000 voxels 20 show the object, from dim to bright; 2, 11 and 20 are outlined."""
    clean = np.zeros((10, 10, 10))
    clean.flat[:20] = np.linspace(0.1, 1, 20)
    masks = outlines(clean, 3)
    assert [int(mask.sum()) for mask in masks] == [2, 11, 20]
    assert all((one <= other).all() for one, other in pairwise(masks))
    assert masks[0].flat[19] == masks[0].flat[18] == 1


def test_three_raters_agree_where_the_border_is_sharp():
    first, *others = draw(np.random.default_rng(1), Kind("sharp", 1, raters=3)).masks
    assert all((other == first).all() for other in others)


def test_noise_changes_the_background_alone():
    drawn = draw(np.random.default_rng(2), Kind("iid", 1))
    inside = drawn.masks[0] == 1
    assert (drawn.image[inside] == 1).all()
    dark = drawn.image[~inside]
    assert 0.49 < (dark == 0).mean() < 0.51
    assert dark[dark > 0].mean() == pytest.approx(0.5, abs=0.01)


def test_each_shift_is_what_it_says():
    grey, cube, border = (
        several(Kind(name, 1, noisy=False, shift=name), 8) for name in ("grey", "cube", "border")
    )
    assert all(0.5 <= drawn.image.max() < 0.9 for drawn in grey)
    for drawn in cube:
        box = ndimage.find_objects(drawn.masks[0])[0]
        sides = {part.stop - part.start for part in box}
        assert len(sides) == 1
        assert drawn.masks[0].sum() == sides.pop() ** 3
    for drawn in border:
        faces = [np.take(drawn.masks[0], 0, axis).any() for axis in range(3)]
        assert any(faces)
    assert len({drawn.masks[0].sum() for drawn in border}) == 8


def test_an_object_that_blur_hides_is_drawn_again():
    assert all(drawn.masks[-1].sum() > 1000 for drawn in several(Kind("hidden", 1, 8, raters=3), 6))


def test_files_are_drawn_once_and_the_label_is_the_majority(tmp_path, monkeypatch):
    monkeypatch.setattr(ValuesToy1, "kinds", FEW)
    cases = ValuesToy1(root=tmp_path).cases()
    one, shifted = cases["train"][0], cases["test"][0]
    masks = [np.asarray(nibabel.load(path).dataobj) for path in one.raters.values()]
    label = nibabel.load(one.label)
    assert list(one.raters) == ["1", "2", "3"]
    assert label.shape == (SIDE,) * 3
    assert ((np.sum(masks, axis=0) >= 2) == np.asarray(label.dataobj)).all()
    assert shifted.id == "values-toy-1-test-cube-000"
    assert shifted.raters == {}
    assert [case.shift for case in (one, shifted)] == [None, "cube"]
    monkeypatch.setattr("voxbench_tasks.values_toy.draw", lambda *_: pytest.fail("again"))
    assert ValuesToy1(root=tmp_path).cases() == cases


@pytest.mark.parametrize("seed", [-1, 0.5, True])
def test_a_seed_out_of_range_is_refused(tmp_path, seed):
    with pytest.raises(ValueError, match="seed"):
        ValuesToy1(root=tmp_path, seed=seed)


def test_parts_are_as_large_as_published():
    counts = [
        [sum(k.volumes for k in toy.kinds[part]) for part in ("train", "test")] for toy in TOYS
    ]
    assert counts == [[200, 20], [200, 42], [200, 42], [200, 63]]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("toy", "part", "name", "published"),
    [
        (ValuesToy1, "train", "iid", "Case_1/train"),
        (ValuesToy2, "train", "iid", "Case_2/train"),
        (ValuesToy3a, "train", "sharp", "Case_3a/train_2"),
        (ValuesToy3a, "train", "blurred", "Case_3a/train_1"),
        (ValuesToy3b, "test", "blurred", "Case_3b/test_5"),
    ],
)
def test_statistics_are_those_of_values_own_generator(golden, toy, part, name, published):
    """Means of 40 volumes, within four errors of the difference and what their mesh loses."""
    (kind,) = (kind for kind in toy.kinds[part] if kind.name == name)
    theirs = [record for record in golden(published) if record["fg"][-1] > 1]
    assert {record["nr"] for record in theirs} == {kind.raters}
    ours = [told(drawn) for drawn in several(kind, 40)]
    for figure, lost in (("mean", 0.005), ("std", 0.015), ("nz", 0.02), ("edge", 0.8)):
        mine = np.array([record[figure] for record in ours])
        other = np.array([edge(r["fg"]) if figure == "edge" else r[figure] for r in theirs])
        error = np.hypot(*(side.std() / np.sqrt(len(side)) for side in (mine, other)))
        assert abs(mine.mean() - other.mean()) < lost + 4 * error, figure


@pytest.mark.realdata
def test_objects_are_as_large_as_values_own_up_to_the_mesh(golden):
    """21 sizes: a sphere of d voxels has the volume of theirs with d + 0.7."""
    theirs = sorted({record["fg"][0] for record in golden("Case_2/train")})
    kind = ValuesToy2.kinds["train"][0]
    ours = sorted({int(d.masks[0].sum()) for d in several(kind._replace(noisy=False), 200)})
    assert len(theirs) == len(ours) == 21
    apart = np.cbrt(np.array(ours) * 6 / np.pi) - np.cbrt(np.array(theirs) * 6 / np.pi)
    assert apart.min() > 0.5
    assert apart.max() < 0.9


@pytest.fixture
def golden(real_values):
    told = json.loads((real_values / "toy_stats.json").read_text())
    return lambda name: told[f"configs/{name}.json"]["rec"]


def told(drawn):
    image = drawn.image
    return {
        "mean": image.mean(),
        "std": image.std(),
        "nz": (image > 0).mean(),
        "edge": edge([int(mask.sum()) for mask in drawn.masks]),
    }


def edge(volumes):
    """Side of a cube as large as the volume that the most generous rater outlines."""
    return np.cbrt(volumes[-1])
