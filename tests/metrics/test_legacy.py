"""Protocols of published numbers, on volumes small enough to count."""

import math

import numpy as np
import pytest
from scipy import ndimage
from voxbench.errors import SpecError
from voxbench.metrics import evaluate
from voxbench.metrics.legacy import FLARE23_CLASSES, FLARE23_TOLERANCE_MM, flare23, suprem


def block(*bounds, shape=(12, 12, 12), label=1):
    volume = np.zeros(shape, np.uint8)
    volume[tuple(slice(a, b) for a, b in bounds)] = label
    return volume


def test_suprem_adds_one_voxel_to_the_denominator_of_dice():
    prediction, reference = block((0, 2), (0, 2), (0, 2)), block((0, 2), (0, 2), (1, 3))
    score = suprem(prediction, reference, {"x": 1}, (1.5, 1.5, 1.5))["x"]
    assert score.dice == 2 * 4 / (8 + 8 + 1)
    assert score.nsd == 0.5  # all 8 voxels are border voxels, half of them 1.5 mm away


def test_suprem_leaves_a_class_out_that_the_reference_lacks():
    score = suprem(block((0, 2), (0, 2), (0, 2)), np.zeros((12, 12, 12), int), {"x": 1}, (1, 1, 1))
    assert math.isnan(score["x"].dice)
    assert math.isnan(score["x"].nsd)


def test_suprem_gives_an_empty_prediction_nothing():
    score = suprem(np.zeros((12, 12, 12), int), block((0, 2), (0, 2), (0, 2)), {"x": 1}, (1, 1, 1))
    assert score["x"].dice == score["x"].nsd == 0


def test_flare_uses_its_own_tolerances_and_labels():
    assert list(FLARE23_CLASSES.values()) == list(range(1, 15))
    prediction, reference = block((2, 8), (2, 8), (2, 8)), block((2, 8), (2, 8), (4, 10))
    score = flare23(prediction, reference, {"Liver": 1}, (1, 1, 1))["Liver"]
    ours = evaluate(prediction, reference, {"Liver": 1}, (1, 1, 1), FLARE23_TOLERANCE_MM["Liver"])
    assert repr(score) == repr(ours["Liver"])
    with pytest.raises(SpecError, match="Did you mean 'Liver'"):
        flare23(prediction, reference, {"Lver": 1}, (1, 1, 1))


def test_flare_gives_no_surface_credit_below_a_dice_of_one_fifth():
    prediction, reference = block((2, 8), (2, 8), (2, 8)), block((2, 8), (2, 8), (7, 13))
    score = flare23(prediction, reference, {"Liver": 1}, (1, 1, 1))["Liver"]
    assert 0 < score.dice < 0.2
    assert score.nsd == 0


def test_flare_scores_the_aorta_in_the_slices_of_the_reference_but_its_last():
    prediction, reference = block((2, 8), (2, 8), (0, 12)), block((2, 8), (2, 8), (4, 9))
    score = flare23(prediction, reference, {"Aorta": 1}, (1, 1, 1))["Aorta"]
    assert (score.dice, score.nsd) == (1, 1)
    assert score.voxels_reference == 6 * 6 * 4


def test_flare_counts_two_empty_masks_as_agreement():
    nothing = np.zeros((5, 5, 5), np.uint8)
    score = flare23(nothing, nothing, {"Liver": 1, "Aorta": 5}, (1, 1, 1))
    assert score["Liver"].dice == score["Aorta"].nsd == 1


@pytest.mark.parametrize("seed", range(5))
def test_suprem_equals_the_distance_transforms_that_it_was_computed_with(seed):
    rng = np.random.default_rng(seed)
    masks = ndimage.gaussian_filter(rng.normal(size=(2, 20, 18, 16)), (0, 2, 2, 2)) > 0.02
    spacing = (1.0, 0.7, 2.0)
    edges = [mask ^ ndimage.binary_erosion(mask) for mask in masks]
    maps = [ndimage.distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    distances = np.concatenate([maps[0][edges[1]], maps[1][edges[0]]])
    score = suprem(*masks, {"x": 1}, spacing)["x"]
    assert score.nsd == pytest.approx(np.mean(distances <= 1), abs=1e-15)
    assert score.dice == 2 * (masks[0] & masks[1]).sum() / (masks.sum() + 1)
