import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.affines import voxel_sizes
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from voxbench.data.geometry import (
    VoxelGrid,
    choose_grid,
    crop_to_grid,
    image_to_grid,
    label_to_grid,
    labels_to_native,
    uncropped,
)
from voxbench.data.prepare import onto_grid
from voxbench.data.resample import resample_argmax, taps_between
from voxbench.data.volumes import CaseVolumes
from voxbench.design.preprocessing import Preprocessing

from tests.data.toy import RAS_2MM, SHAPE, ball, volumes

AXES = ["RAS", "LPS", "PIR", "SLA", "IPL"]


def one_hot(label, classes):
    return np.stack([label == value for value in range(classes)]).astype(np.float32)


def scores_to_native(scores, grid):
    taps = taps_between(scores.shape[1:], grid.cropped)
    return uncropped(resample_argmax(scores, taps), grid)


def reoriented(array, affine, axes):
    """The same anatomy as another file would store it."""
    transform = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes))
    from nibabel.orientations import apply_orientation

    return apply_orientation(array, transform), affine @ inv_ornt_aff(transform, array.shape)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@given(
    st.tuples(*[st.integers(3, 12)] * 3),
    st.sampled_from(AXES),
    st.sampled_from(AXES),
    st.integers(0, 99),
)
def test_without_resampling_the_way_back_is_exact(shape, stored, axes, seed):
    random = np.random.default_rng(seed)
    image = random.integers(0, 2, shape).astype(np.float32)
    label = (random.integers(0, 3, shape) * (image > 0)).astype(np.uint8)
    image, affine = reoriented(image, RAS_2MM, stored)
    label, _ = reoriented(label, RAS_2MM, stored)
    grid = choose_grid(image[None], affine, Preprocessing(axes=axes))
    prepared = label_to_grid(np.ascontiguousarray(crop_to_grid(label, grid)), grid)
    assert np.array_equal(scores_to_native(one_hot(prepared, 3), grid), label)
    assert np.array_equal(labels_to_native(prepared, grid), label)


@settings(max_examples=30)
@given(
    st.tuples(*[st.floats(0.7, 3)] * 3), st.tuples(*[st.floats(0.7, 3)] * 3), st.sampled_from(AXES)
)
def test_resampled_and_restored_a_smooth_object_keeps_its_shape(spacing, target, stored):
    affine = np.diag([*spacing, 1.0])
    shape = tuple(int(60 / size) for size in spacing)
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    middle = sum((axis * size - 30) ** 2 for axis, size in zip(axes, spacing, strict=True))
    label, affine = reoriented((middle <= 22**2).astype(np.uint8), affine, stored)
    grid = choose_grid(
        label[None].astype(np.float32), affine, Preprocessing(spacing_mm=target, crop="none")
    )
    prepared = label_to_grid(np.ascontiguousarray(crop_to_grid(label, grid)), grid)
    restored = scores_to_native(one_hot(prepared, 2), grid)
    assert restored.shape == label.shape
    assert dice(restored > 0, label > 0) > 0.95


def test_what_was_cropped_away_comes_back_as_background():
    image = np.zeros((10, 12, 14), np.float32)
    image[2:6, 3:9, 5:7] = 7
    grid = choose_grid(image[None], RAS_2MM, Preprocessing())
    assert (grid.low, grid.high, grid.shape) == ((2, 3, 5), (6, 9, 7), (4, 6, 2))
    everywhere = np.zeros((2, *grid.shape), np.float32)
    everywhere[1] = 1
    assert np.array_equal(scores_to_native(everywhere, grid) > 0, image > 0)


def test_a_crop_spans_all_channels_and_a_constant_image_is_kept_whole():
    image = np.zeros((2, 8, 8, 8), np.float32)
    image[0, 1, 1, 1] = image[1, 5, 6, 7] = 1
    assert choose_grid(image, RAS_2MM, Preprocessing()).low == (1, 1, 1)
    assert choose_grid(image, RAS_2MM, Preprocessing()).high == (6, 7, 8)
    assert choose_grid(image * 0, RAS_2MM, Preprocessing()).cropped == (8, 8, 8)


@given(st.tuples(*[st.floats(0.5, 5)] * 3), st.sampled_from(AXES))
def test_the_grid_covers_the_box_of_the_file(target, stored):
    affine = np.diag([0.8, 1.5, 3.0, 1.0])
    image, affine = reoriented(volumes()[0], affine, stored)
    grid = choose_grid(image[None], affine, Preprocessing(spacing_mm=target, crop="none"))
    extent = np.array(grid.shape) * grid.spacing_mm
    assert np.allclose(extent, np.array(SHAPE) * [0.8, 1.5, 3.0])


@pytest.mark.parametrize("stored", AXES)
def test_a_file_in_other_axes_is_prepared_to_the_same_arrays(stored):
    image, label = volumes()
    affine = np.diag([1.0, 1.5, 2.5, 1.0])
    rule = Preprocessing(spacing_mm=(2.0, 2.0, 2.0))
    expected = onto_grid(CaseVolumes(image[None], label, affine), rule)
    other, turned = reoriented(image, affine, stored)
    other_label, _ = reoriented(label, affine, stored)
    found = onto_grid(CaseVolumes(other[None], other_label, turned), rule)
    assert np.array_equal(found.label, expected.label)
    assert np.allclose(found.image, expected.image, atol=1e-5)
    assert found.grid.spacing_mm == pytest.approx(expected.grid.spacing_mm)


def test_a_grid_survives_json():
    image, _ = volumes()
    grid = choose_grid(image[None], RAS_2MM, Preprocessing(spacing_mm=(1.0, 3.0, 2.0), axes="LPS"))
    assert VoxelGrid.from_json(json.loads(json.dumps(grid.to_json()))) == grid


def test_an_oblique_file_keeps_its_voxel_sizes_and_goes_back():
    angle = np.deg2rad(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 2.0, 3.0])
    label = ball((30, 20, 12), 5).astype(np.uint8)
    grid = choose_grid(label[None].astype(np.float32), affine, Preprocessing(crop="none"))
    assert grid.spacing_mm == pytest.approx(tuple(voxel_sizes(affine)))
    assert np.array_equal(scores_to_native(one_hot(crop_to_grid(label, grid), 2), grid), label)


def test_images_are_resampled_linearly():
    image = np.linspace(0, 1, 10, dtype=np.float32)[:, None, None] * np.ones((1, 4, 4), np.float32)
    grid = choose_grid(image[None], RAS_2MM, Preprocessing(spacing_mm=(1.0, 2.0, 2.0), crop="none"))
    fine = image_to_grid(image, grid)
    assert fine.shape == (20, 4, 4)
    assert np.all(np.diff(fine[:, 0, 0]) >= 0)
