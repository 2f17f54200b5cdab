"""What is mirrored: by names, by where classes lie, or as the task's field says."""

from dataclasses import replace

import numpy as np
import pytest
from voxbench.data.dataset import open_dataset
from voxbench.data.mirroring import find_mirroring
from voxbench.errors import SpecError

from tests.data.toy import toy, write_case

LAS = np.diag([-2.0, 2.0, 2.0, 1.0])
SHAPE = (40, 20, 24)


def task(folder, names=("one", "two"), apart=(24, 0, 0), second=6, affine=LAS, count=4):
    """Cases with two boxes: the second lies `apart` voxels from the first, and is as long."""
    cases = []
    for number in range(count):
        label = np.zeros(SHAPE, np.uint8)
        start = np.array([4, 2 + number, 4])
        for value, (corner, side) in enumerate(((start, 6), (start + apart, second)), 1):
            label[tuple(slice(a, a + side) for a in corner)] = value
        image = label * 10.0 + np.random.default_rng(number).normal(size=SHAPE)
        cases.append(write_case(folder, f"c{number}", image.astype(np.float32), label, affine))
    return toy(
        folder, cases, classes=dict(zip(names, (1, 2), strict=True)),
        tolerance_mm=dict.fromkeys(names, 1.0),
    )  # fmt: skip


def found(made):
    return find_mirroring(made.card, made.cases()["all"], made.mirror)


def test_names_decide_without_a_look_at_the_labels(tmp_path):
    made = found(replace(task(tmp_path, ("rkid", "lkid")), parts={"all": []}))
    assert (made.axes, made.reasons) == ("AS", {"R": "rkid and lkid are two sides"})
    assert made.identity == {"mirrored": "AS"}


def test_two_like_classes_on_opposite_sides_are_left_and_right_whatever_they_are_called(tmp_path):
    made = found(task(tmp_path))
    assert made.axes == "AS"
    assert made.reasons["R"] == "one and two are alike and lie on opposite sides"
    assert "left-right (one and two are alike" in made.told


@pytest.mark.parametrize(
    "difference",
    [{"apart": (0, 9, 0)}, {"apart": (0, 0, 14)}, {"apart": (8, 8, 8)}, {"second": 12}],
    ids=["in front", "above", "askew", "larger"],
)
def test_other_classes_may_be_mirrored(tmp_path, difference):
    assert found(task(tmp_path, **difference)).axes == "RAS"


def test_classes_that_change_sides_from_case_to_case_are_no_sides(tmp_path):
    made = task(tmp_path)
    other = task(tmp_path / "other", affine=np.diag([2.0, 2.0, 2.0, 1.0]))
    cases = [*made.cases()["all"], *other.cases()["all"]]
    assert find_mirroring(made.card, cases, made.mirror).axes == "RAS"


def test_what_was_found_is_remembered_until_the_labels_change(tmp_path, monkeypatch):
    made = task(tmp_path / "a")
    assert found(made).axes == "AS"
    monkeypatch.setattr("voxbench.data.mirroring.read_reference", None)
    assert found(made).axes == "AS"
    monkeypatch.undo()
    assert found(task(tmp_path / "a", apart=(0, 0, 14))).axes == "RAS"


def test_a_field_overrides_names_and_geometry(tmp_path):
    made = task(tmp_path, ("rkid", "lkid"))
    assert found(replace(made, mirror="RAS")).axes == "RAS"
    assert found(replace(made, mirror="")).axes == ""
    assert "mirrored in training: nothing" in found(replace(made, mirror="")).told
    with pytest.raises(SpecError, match="mirror: expected letters of R"):
        found(replace(made, mirror="LR"))


def test_axes_are_found_in_arrays_of_any_orientation(tmp_path):
    made = found(task(tmp_path, ("rkid", "lkid")))
    assert (made.along("RAS"), made.along("LPS"), made.along("SPR")) == ((1, 2), (1, 2), (0, 1))


def test_identity_changes_only_where_the_first_rule_mirrored_otherwise(tmp_path):
    plain = task(tmp_path, ("kidney_left", "kidney_right"))
    identity = open_dataset(plain).identity
    assert open_dataset(replace(plain, mirror="AS")).identity == identity
    assert open_dataset(replace(plain, mirror="S")).identity != identity
    assert open_dataset(plain).mirroring.identity == {}
