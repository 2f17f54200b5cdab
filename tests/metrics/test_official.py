"""Official ways to score, on volumes small enough to count."""

import math

import numpy as np
import pytest
from scipy import ndimage
from voxbench.errors import SpecError
from voxbench.metrics import evaluate, worst
from voxbench.metrics.official import SCORINGS, find_scoring

SPACING = (1.0, 1.0, 1.0)


def block(*bounds, shape=(12, 12, 12), label=1):
    volume = np.zeros(shape, np.uint8)
    volume[tuple(slice(a, b) for a, b in bounds)] = label
    return volume


def scored(name, prediction, reference, classes, spacing=SPACING, across=-1, tolerance=1.0):
    """Every class as the makers count it."""
    found = find_scoring(name)
    own = {label: found.tolerance_of(label) or tolerance for label in classes}
    measured = found.measure(prediction, reference, classes, spacing, own, across)
    return {label: found.counted(score) for label, score in measured.items()}


NOTHING = block((0, 0), (0, 0), (0, 0))
CUBE = block((2, 8), (2, 8), (2, 8))
MOVED = block((2, 8), (2, 8), (4, 10))


@pytest.mark.parametrize(
    ("name", "both", "alarm"),
    [
        ("flare22", 1, 0), ("flare23", 1, 0), ("kits23", 1, 0), ("brats", 1, 0),
        ("amos", math.nan, 0), ("totalsegmentator", math.nan, math.nan),
        ("suprem", math.nan, math.nan),
    ],
)  # fmt: skip
def test_empty_masks_count_as_the_makers_count_them(name, both, alarm):
    label = next(iter(find_scoring(name).classes), "x")
    for prediction, expected in ((NOTHING, both), (CUBE, alarm)):
        score = scored(name, prediction, NOTHING, {label: 1})[label]
        assert (score.dice, score.nsd) == pytest.approx((expected, expected), nan_ok=True)
    missed = scored(name, NOTHING, CUBE, {label: 1})[label]
    assert (missed.dice, missed.nsd) == (0, 0)
    failed = find_scoring(name).counted(worst(NOTHING, {label: 1}, SPACING)[label])
    assert failed.dice == pytest.approx(alarm, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "label", "mm"),
    [
        ("flare22", "liver", 5.0), ("flare22", "Duodenum", 7.0), ("flare23", "lesion", 2.0),
        ("kits23", "mass", 1.1328796488598762), ("totalsegmentator", "rib_left_4", 3.0),
        ("suprem", "spleen", 1.0), ("amos", "spleen", None), ("brats", "WT", None),
    ],
)  # fmt: skip
def test_each_has_the_tolerances_of_its_makers(name, label, mm):
    assert find_scoring(name).tolerance_of(label) == mm


@pytest.mark.parametrize("name", SCORINGS)
def test_nothing_but_what_is_told_differs_from_voxbench_s_own(name):
    found = find_scoring(name)
    label = next((n for n in found.classes if n not in found.sliced), "x")
    tolerance = found.tolerance_of(label) or 2.0
    ours = evaluate(MOVED, CUBE, {label: 1}, SPACING, tolerance, found.definition)[label]
    theirs = scored(name, MOVED, CUBE, {label: 1}, tolerance=tolerance)[label]
    assert theirs.nsd == ours.nsd
    assert theirs.dice == 2 * 144 / (432 + found.added_voxels)


def test_the_spellings_of_the_makers_are_known():
    flare = find_scoring("flare22")
    spelled = ("Liver", "RK", "Spleen", "Pancreas", "Aorta", "IVC", "RAG", "LAG", "Gallbladder")
    more = ("Esophagus", "Stomach", "Duodenum", "LK")
    assert [flare.name_of(n) for n in (*spelled, *more)] == list(flare.classes)
    assert list(flare.classes.values()) == list(range(1, 14))
    kits, brats = find_scoring("kits23"), find_scoring("brats")
    assert [kits.name_of(n) for n in ("kidney_and_mass", "mass", "tumor")] == list(kits.classes)
    assert [brats.name_of(n) for n in ("WT", "TC", "ET")] == list(brats.classes)


def test_a_class_that_is_not_scored_is_named_with_those_that_are():
    with pytest.raises(SpecError, match=r"'kidney'.*tumour=2 of the label maps"):
        find_scoring("kits23").measure(CUBE, CUBE, {"kidney": 1}, SPACING, {"kidney": 1.0})
    with pytest.raises(SpecError, match="Did you mean 'kits23'"):
        find_scoring("kits21")


def test_nested_regions_are_scored_as_they_are_released():
    reference = block((2, 8), (2, 8), (2, 8)) + block((2, 8), (2, 8), (5, 8))  # 1, and half of it 2
    score = scored("kits23", MOVED, reference, find_scoring("kits23").classes)
    assert score["kidney and mass"].dice == 2 * 144 / 432
    assert score["mass"].dice == score["tumour"].dice == 0


def test_flare_scores_the_aorta_in_the_slices_of_the_reference_but_its_last():
    prediction, reference = block((2, 8), (2, 8), (0, 12)), block((2, 8), (2, 8), (4, 9))
    score = scored("flare22", prediction, reference, {"Aorta": 1})["Aorta"]
    assert (score.dice, score.nsd, score.voxels_reference) == (1, 1, 6 * 6 * 4)
    turned = scored("flare22", prediction.T, reference.T, {"Aorta": 1}, across=0)["Aorta"]
    assert (turned.dice, turned.voxels_reference) == (1, 6 * 6 * 4)
    liver = scored("flare22", prediction, reference, {"Liver": 1})["Liver"]
    assert liver.dice == 2 * 5 / (12 + 5)


def test_an_organ_of_a_single_slice_is_scored_in_it():
    one = block((2, 8), (2, 8), (4, 5))
    assert scored("flare22", one, one, {"IVC": 1})["IVC"].dice == 1


def test_only_flare_of_2023_gives_no_surface_credit_below_a_dice_of_one_fifth():
    far = block((2, 8), (2, 8), (7, 12))
    for name, credit in (("flare22", True), ("flare23", False)):
        score = scored(name, CUBE, far, {"Liver": 1})["Liver"]
        assert score.dice == 2 * 36 / (216 + 180) < 0.2
        assert (score.nsd > 0) is credit


@pytest.mark.parametrize("seed", range(5))
def test_suprem_equals_the_distance_transforms_that_it_was_computed_with(seed):
    rng = np.random.default_rng(seed)
    masks = ndimage.gaussian_filter(rng.normal(size=(2, 20, 18, 16)), (0, 2, 2, 2)) > 0.02
    spacing = (1.0, 0.7, 2.0)
    edges = [mask ^ ndimage.binary_erosion(mask) for mask in masks]
    maps = [ndimage.distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    distances = np.concatenate([maps[0][edges[1]], maps[1][edges[0]]])
    score = scored("suprem", *masks, {"x": 1}, spacing)["x"]
    assert score.nsd == pytest.approx(np.mean(distances <= 1), abs=1e-15)
    assert score.dice == 2 * (masks[0] & masks[1]).sum() / (masks.sum() + 1)
