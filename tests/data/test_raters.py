"""Cases that several raters annotated: what is prepared, trained on and what names it."""

from dataclasses import replace

import numpy as np
import pytest
from voxbench.data.content_hash import cases_hash
from voxbench.data.patches import Patches
from voxbench.data.prepare import inspect_cases, prepare_cases
from voxbench.data.volumes import read_raters, read_reference
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe
from voxbench.errors import DataError

from tests.data.toy import RAS_2MM, SHAPE, card, save, write_case

RULE = Preprocessing(crop="none")
ROUNDS = 12


def drawn(value, shape=SHAPE):
    """All voxels by one value."""
    return np.full(shape, value, np.uint8)


@pytest.fixture
def case(tmp_path):
    """Of three raters, the first calls all a ball, the second all a box, the third gave nothing."""
    paths = [save(tmp_path / f"{value}.nii", drawn(value)) for value in (1, 4)]
    raters = {"first": paths[0], "second": paths[1], "third": None}
    return replace(write_case(tmp_path, "a"), raters=raters)


def prepared(case):
    return prepare_cases(card(), [case], RULE)[case.id]


def patches(*cases, raters=None):
    return Patches(
        [prepared(case) for case in cases], card().classes, (8, 8, 8), 1, 0, 0, raters=raters
    )


def told(stream):
    """Which single value each patch is labelled with; 0 is one of several."""
    labels = [stream.batch(step).labels for step in range(ROUNDS)]
    return [int(label.max()) if np.ptp(label) == 0 else 0 for label in labels]


def test_those_who_gave_a_map_are_prepared_beside_the_label(case):
    found = prepared(case)
    assert {name: set(np.unique(array)) for name, array in found.raters.items()} == {
        "first": {1},
        "second": {2},
    }
    plain = replace(case, raters={})
    assert np.array_equal(found.label, prepared(plain).label)
    assert prepared(plain).raters == {}


def test_raters_name_a_case_and_none_leave_its_name(case, tmp_path):
    plain = replace(case, raters={})
    swapped = replace(case, raters={**case.raters, "third": case.raters["first"]})
    assert len({cases_hash([each]) for each in (plain, case, swapped)}) == 3
    path = save(tmp_path / "4.nii", drawn(1))
    before = prepared(case).path
    assert case.raters["second"] == path
    save(path, drawn(0))
    assert prepared(case).path != before


def test_one_rater_a_round_all_alike(case):
    assert told(patches(case, raters="all")) == [1, 2] * (ROUNDS // 2)


def test_a_random_rater_a_patch_the_same_for_a_step(case):
    found = told(patches(case, raters="random"))
    assert set(found) == {1, 2}
    assert found == told(patches(case, raters="random"))


def test_raters_change_nothing_but_the_labels_of_patches(case):
    for raters in ("all", "random"):
        one, other = patches(case).batch(3), patches(case, raters=raters).batch(3)
        assert np.array_equal(one.images, other.images)
        assert not np.array_equal(one.labels, other.labels)


def test_a_case_of_one_truth_keeps_it_beside_others(case, tmp_path):
    single = write_case(tmp_path, "b", label=drawn(4))
    assert told(patches(single, raters="all")) == [2] * ROUNDS


def test_a_recipe_that_does_not_ask_for_raters_says_nothing_of_them():
    assert "raters" not in Recipe().model_dump(mode="json")
    assert Recipe(raters="all").model_dump(mode="json")["raters"] == "all"


@pytest.mark.parametrize(
    ("array", "affine", "problem"),
    [
        (drawn(3), RAS_2MM, "label out of range"),
        (drawn(1, (4, 4, 4)), RAS_2MM, "shape mismatch"),
        (drawn(1), np.diag([4.0, 2, 2, 1]), "affine mismatch"),
        (None, None, "missing file"),
    ],
)
def test_a_broken_map_of_a_rater_is_told_by_its_name(case, tmp_path, array, affine, problem):
    path = tmp_path / "odd.nii"
    if array is not None:
        save(path, array, affine)
    odd = replace(case, raters={**case.raters, "third": path})
    assert [(p.file, p.kind) for p in inspect_cases(card(), [odd], RULE)] == [("odd.nii", problem)]
    with pytest.raises(DataError, match=f"odd.nii: {problem}"):
        read_raters(odd, card(), read_reference(odd, card()))
