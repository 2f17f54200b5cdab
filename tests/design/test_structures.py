"""Structures are matched by name, however they are spelled."""

import pytest
from voxbench.design.structures import canonical, shared


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kidney_left", "Left Kidney"),
        ("kidney_left", "kidney (L)"),
        ("gall_bladder", "Gallbladder"),
        ("postcava", "inferior_vena_cava"),
        ("adrenal_gland_right", "right adrenal gland"),
    ],
)
def test_two_spellings_are_one_structure(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kidney_left", "kidney_right"),
        ("lung", "lung_left"),
        ("liver", "liver_tumour"),
        ("肝", "脾"),
    ],
)
def test_other_structures_stay_apart(one, other):
    assert canonical(one) != canonical(other)


def test_a_class_is_found_at_its_first_place():
    assert shared(["background", "Liver", "spleen", "liver"], ["spleen", "liver", "colon"]) == {
        "spleen": 2,
        "liver": 1,
    }
