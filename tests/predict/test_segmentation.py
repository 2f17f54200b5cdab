"""Label maps that are decided block by block are those of the whole volume, byte for byte."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import nn
from voxbench.data.geometry import VoxelGrid, choose_grid, labels_to_native, uncropped
from voxbench.data.resample import resample_argmax, resample_scores, taps_between
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.predict import layout as layouts
from voxbench.predict import native, segmentation
from voxbench.predict.segmentation import segment
from voxbench.predict.stitch import Stitch

from tests.predict.whole import interpolated, whole_label, whole_logits

AXES = ("RAS", "LPS", "SAR", "PIR")


@dataclass
class Prepared:
    """Noise on a prepared grid."""

    grid: VoxelGrid
    id: str = "case"
    outside = np.array([0.0, 1.0], np.float32)

    @property
    def image(self):
        return np.random.default_rng(0).normal(size=(2, *self.grid.shape)).astype(np.float32)


def prepared(native, spacing, axes, crop=False):
    image = np.zeros((1, *native), np.float32)
    image[(0, *(slice(n // 4, None) for n in native))] = 1
    rule = Preprocessing(spacing_mm=spacing, axes=axes, crop="nonzero" if crop else "none")
    return Prepared(choose_grid(image, np.diag([-1.0, 1.5, 2.0, 1.0]), rule))


SIDES = st.tuples(*[st.integers(4, 36)] * 3)
SPACINGS = st.none() | st.tuples(*[st.sampled_from([0.9, 1.5, 3.1])] * 3)
PATCHES = st.tuples(*[st.integers(8, 14)] * 3)


@settings(max_examples=40, deadline=None)
@given(SIDES, SPACINGS, st.sampled_from(AXES), st.booleans(), PATCHES, st.integers(0, 9))
def test_a_random_network_says_the_same_block_by_block(native, spacing, axes, crop, patch, seed):
    torch.manual_seed(seed)
    case, network = prepared(native, spacing, axes, crop), nn.Conv3d(2, 4, 3, padding=1)
    recipe = Recipe(patch=patch, overlap=(0.0, 0.3, 0.5)[seed % 3], windows=2 + seed % 4)
    found = segment(network, case, recipe, "cpu")
    laid = patch, recipe.overlap, recipe.windows
    logits = whole_logits(network, case.image, case.outside, *laid)
    assert found.dtype == np.uint8
    assert np.array_equal(found, whole_label(logits, case.grid))


@settings(max_examples=15, deadline=None)
@given(SIDES, SPACINGS, st.sampled_from(AXES), st.integers(0, 9))
def test_along_another_axis_only_ties_may_fall_otherwise(native, spacing, axes, seed):
    torch.manual_seed(seed)
    case, network = prepared(native, spacing, axes), nn.Conv3d(2, 4, 3, padding=1)
    recipe = Recipe(patch=(8, 11, 14))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layouts, "_SMALL", 0)
        found = segment(network, case, recipe, "cpu")
    logits = whole_logits(network, case.image, case.outside, recipe.patch, 0.5, 4)
    differs = found != whole_label(logits, case.grid)
    two = np.sort(interpolated(logits, case.grid.cropped), axis=0)[-2:]
    assert np.all(uncropped(two[1] - two[0], case.grid)[differs] < 1e-5)


@settings(max_examples=10, deadline=None)
@given(SIDES, SPACINGS, st.integers(0, 9))
def test_of_many_classes_in_a_large_volume_features_are_averaged_and_classified_after(
    native, spacing, seed
):
    torch.manual_seed(seed)
    case, network = prepared(native, spacing, "RAS"), Segmenter(Features(), 20)
    recipe, widths = Recipe(patch=(8, 11, 14)), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layouts, "_SMALL", 0)
        patched.setattr(segmentation, "_AT_ONCE", 3000)
        patched.setattr(Stitch, "add", watched(Stitch.add, widths))
        found = segment(network, case, recipe, "cpu")
    assert set(widths) == {6}
    logits = whole_logits(network, case.image, case.outside, recipe.patch, 0.5, 4)
    differs = found != whole_label(logits, case.grid)
    two = np.sort(interpolated(logits, case.grid.cropped), axis=0)[-2:]
    assert np.all(uncropped(two[1] - two[0], case.grid)[differs] < 1e-5)


class Features(nn.Conv3d):
    """A backbone of six features."""

    def __init__(self):
        super().__init__(2, 6, 3, padding=1)


def watched(add, widths):
    def watching(stitch, window, scores):
        widths.append(len(scores))
        add(stitch, window, scores)

    return watching


class Flat(nn.Module):
    """A backbone whose encoder and decoder hand on the image."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = (lambda x: [x]), (lambda maps: maps[0])


class Head(nn.Module):
    """Two organs that may overlap: the channels of the image."""

    def forward(self, features, maps):
        return features


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("spacing", [None, (1.5, 1.0, 2.5)])
def test_masks_of_a_published_head_are_found_block_by_block(spacing, large, monkeypatch):
    if large:
        monkeypatch.setattr(layouts, "_SMALL", 0)
    case = prepared((30, 20, 24), spacing, "LPS")
    outputs = ("spleen", "liver")
    head = Direct(Flat(), Head(), outputs, ("liver", "spleen"), postprocessed=outputs)
    found = segment(head, case, Recipe(patch=(8, 8, 9)), "cpu")
    logits = whole_logits(head, case.image, case.outside, (8, 8, 9), 0.5, 4)
    assert np.array_equal(found, labels_to_native(by_hand(logits > logits[0]), case.grid))


def by_hand(beats):
    label = np.zeros(beats.shape[1:], np.uint8)
    for index in (2, 1):  # in the order of the outputs
        parts, _ = ndimage.label(beats[index], np.ones((3, 3, 3)))
        label[parts == 1 + np.bincount(parts.ravel())[1:].argmax()] = index
    return label


def test_a_probability_of_one_half_is_not_enough():
    case = prepared((9, 9, 9), None, "RAS")
    case.outside = np.zeros(2, np.float32)
    head = Direct(Flat(), Zero(), ("a", "b"), ("a", "b"), postprocessed=("a", "b"))
    assert not segment(head, case, Recipe(patch=(8, 8, 8)), "cpu").any()


class Zero(nn.Module):
    """Logits of 0 for both organs."""

    def forward(self, features, maps):
        return torch.zeros_like(features)


@settings(max_examples=20, deadline=None)
@given(SIDES, SIDES, st.integers(0, 9))
def test_a_device_interpolates_as_the_kernel_of_the_processor_does(shape, target, seed):
    scores = np.random.default_rng(seed).normal(size=(3, *shape)).astype(np.float32)
    taps = taps_between(shape, target)
    found = torch.from_numpy(scores)
    for axis, along in enumerate(taps, start=1):
        found = native.interpolate(found, axis, along)
    assert np.array_equal(found.numpy(), resample_scores(scores, taps))
    assert np.array_equal(found.argmax(dim=0).numpy(), resample_argmax(scores, taps))
