"""Kernels and strides by the voxel size, as nnU-Net plans them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.design.kernels import CUBE, levels, scales, uneven

FLAT, HALF, PLANE = (1, 3, 3), (2, 2, 2), (1, 2, 2)
sides = st.floats(0.2, 20)


@pytest.mark.parametrize(
    ("spacing", "kernels", "strides"),
    [
        ((1.9, 1, 1), [CUBE] * 4, [HALF] * 3),
        ((2, 1, 1), [FLAT, CUBE, CUBE, CUBE], [PLANE, HALF, HALF]),
        ((5, 0.8, 0.8), [FLAT, FLAT, CUBE, CUBE], [PLANE, PLANE, HALF]),  # 6.25, 3.1, 1.6
        ((10, 1.5625, 1.5625), [FLAT, FLAT, CUBE, CUBE], [PLANE, PLANE, HALF]),  # ACDC's
        ((40, 1, 1), [FLAT, FLAT, FLAT, CUBE], [PLANE] * 3),  # the last level always sees cubes
        ((1, 1, 2), [(3, 3, 1), CUBE, CUBE, CUBE], [(2, 2, 1), HALF, HALF]),
    ],
)
def test_an_axis_waits_until_its_voxels_are_less_than_twice_as_long(spacing, kernels, strides):
    found = levels(4, spacing=spacing)
    assert [level.kernel for level in found] == kernels
    assert [level.stride for level in found] == [(1, 1, 1), *strides]


def test_without_a_voxel_size_every_axis_is_halved():
    assert levels(3) == levels(3, spacing=(1, 1, 1.5))
    assert scales(levels(3)) == ((1, 1, 1), (2, 2, 2), (4, 4, 4))


def test_a_stem_shrinks_the_axes_of_the_plane_first():
    assert scales(levels(3, stem=2, spacing=(3, 1, 1))) == ((1, 2, 2), (2, 4, 4), (4, 8, 8))


@given(st.tuples(sides, sides, sides), st.integers(1, 7))
def test_voxels_are_brought_closer_to_cubes_and_no_axis_begins_again(spacing, count):
    found = levels(count, spacing=spacing)
    strides = [level.stride for level in found[1:]]
    for axis in range(3):
        along = [stride[axis] for stride in strides]
        assert along == sorted(along), "once halved, always halved"
    assert all(max(stride) == 2 for stride in strides)
    assert (uneven(spacing) is None) == (levels(9, spacing=spacing) == levels(9))
