"""Left and right are found in every spelling, and a heart's chamber has no twin."""

import pytest
from voxbench.data.sides import axes_before, ordered_names, sided_names

PAIRS = [
    ("kidney_left", "kidney_right"),
    ("rkid", "lkid"),
    ("RK", "LK"),
    ("LAG", "RAG"),
    ("LeftKidney", "RightKidney"),
    ("leftkidney", "rightkidney"),
    ("kidneyL", "kidneyR"),
    ("LKidney", "RKidney"),
    ("lh_cortex", "rh_cortex"),
    ("ctx-lh-bankssts", "ctx-rh-bankssts"),
    ("Eye_AL", "Eye_AR"),
    ("Parotid (Lt)", "Parotid (Rt)"),
    ("left kidney", "Kidney, right"),
    ("Niere links", "Niere rechts"),
    ("rein gauche", "rein droite"),
    ("left ventricle", "right ventricle"),
    ("Parotid_sin", "Parotid_dx"),
    ("rim direito", "rim esquerdo"),
    ("左肾", "右肾"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_two_sides_of_one_structure_are_known_by_their_names(pair):
    assert sided_names(("liver", *pair)) == f"{pair[0]} and {pair[1]} are two sides"
    assert sided_names(pair[::-1]) is not None


@pytest.mark.parametrize(
    "classes",
    [
        ("liver", "spleen"),
        ("bright spot", "cleft"),
        ("Anterior", "Posterior"),
        ("liver", "Liver"),
        ("right", "wrong"),
        ("1", "2"),
    ],
    ids=" ".join,
)
def test_other_names_have_no_sides(classes):
    assert sided_names(classes) is None


@pytest.mark.parametrize("name", ["left_ventricle", "Left Atrium", "LV", "left lobe of the liver"])
def test_what_the_body_has_once_may_be_mirrored(name):
    assert sided_names((name, "myocardium")) is None


@pytest.mark.parametrize("name", ["kidney_left", "lungL", "left lateral ventricle", "Psoas (R)"])
def test_one_of_two_may_not_though_its_twin_is_no_class(name):
    assert sided_names((name, "liver")) == f"{name} is one side"


def test_names_tell_front_and_back_and_top_and_bottom():
    assert set(ordered_names(["Anterior", "Posterior"])) == {"A"}
    assert set(ordered_names(["inferior_vena_cava", "aorta"])) == {"S"}
    assert ordered_names(["vertebrae", "liver", "rib"]) == {}


@pytest.mark.parametrize("series", [("vertebrae_L4", "vertebrae_L5"), ("rib 1", "rib 2")])
def test_a_series_of_bones_has_a_top(series):
    assert ordered_names(series) == {"S": f"{series[0]} and {series[1]} are of one series"}
    assert sided_names(series) is None


def test_the_first_rule_asked_for_words():
    assert axes_before(["rkid", "lkid"]) == "RAS"
    assert axes_before(["left_ventricle"]) == "AS"
    assert axes_before(["Anterior"]) == "RS"
