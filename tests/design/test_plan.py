"""Spacing, patch and batch as nnU-Net would plan them, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.design.plan import BATCH_VOXELS, PATCH_VOXELS, plan_batch, plan_patch, plan_spacing


def many(*rows):
    return np.array(rows, float)


def test_spacing_is_the_median():
    spacings = many([1, 1, 2], [1, 1, 3], [0.8, 0.8, 2.5])
    assert plan_spacing(spacings, many([100, 100, 60])) == (1.0, 1.0, 2.5)


def test_thick_slices_get_their_tenth_percentile():
    """ACDC: 1.5 mm in the plane, slices of 5 to 10 mm; 10% of the eleven lie at or below 6."""
    distances = [5, 6, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    spacings = many(*([1.5, 1.5, mm] for mm in distances))
    assert plan_spacing(spacings, many([200, 200, 10])) == (1.5, 1.5, 6.0)


def test_slices_never_get_thinner_than_the_plane_is_fine():
    spacings = many(*[[1.5, 1.5, 1.0]] * 2, *[[1.5, 1.5, 10]] * 3)
    assert plan_spacing(spacings, many([200, 200, 10])) == (1.5, 1.5, 1.5)


@pytest.mark.parametrize(
    ("spacing", "shape"),
    [((1.0, 1.0, 3.0), (200, 200, 10)), ((1.0, 1.0, 5.0), (200, 200, 100))],
)
def test_slices_that_are_not_both_thick_and_few_keep_the_median(spacing, shape):
    assert plan_spacing(many(spacing, spacing), many(shape, shape)) == spacing


def test_a_large_isotropic_volume_gets_the_cube_of_the_budget():
    assert plan_patch(many([512, 512, 512]), (1.0, 1.0, 1.0)) == (128, 128, 128)


def test_a_small_volume_is_covered_whole():
    """The hippocampus: 36×50×35 voxels; nnU-Net takes 40×56×40, sides here are multiples of 32."""
    assert plan_patch(many([36, 50, 35]), (1.0, 1.0, 1.0)) == (32, 64, 32)


def test_thick_slices_make_a_flat_patch():
    """Liver CT of 0.77×0.77×1 mm: a cube of 280×280×215 voxels shrinks to the budget."""
    patch = plan_patch(many([512, 512, 482]), (0.77, 0.77, 1.0))
    assert patch == (128, 128, 128)
    assert plan_patch(many([256, 216, 10]), (1.5, 1.5, 6.0)) == (256, 224, 32)


def test_a_batch_fills_the_budget_but_covers_no_more_than_5_percent():
    assert plan_batch((128, 128, 128), many(*[[512, 512, 400]] * 100)) == 2
    assert plan_batch((64, 64, 64), many(*[[512, 512, 400]] * 100)) == 16
    assert plan_batch((40, 56, 40), many(*[[36, 50, 35]] * 208)) == 7
    assert plan_batch((64, 64, 64), many([64, 64, 64])) == 2


sides = st.integers(5, 900)
millimetres = st.floats(0.2, 10)


@given(st.tuples(sides, sides, sides), st.tuples(millimetres, millimetres, millimetres))
def test_every_plan_is_a_recipe(shape, spacing):
    shapes = many(shape, shape)
    patch = plan_patch(shapes, spacing)
    assert math.prod(patch) <= PATCH_VOXELS
    assert all(side % 32 == 0 and 32 <= side <= 512 for side in patch)
    assert 2 <= plan_batch(patch, shapes) <= max(2, BATCH_VOXELS // math.prod(patch))
