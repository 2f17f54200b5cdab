"""The areas of the 256 codes, from what is known about marching cubes."""

import itertools

import numpy as np
import pytest
from voxbench.metrics.areas import CORNERS, contour_lengths, surface_areas

SPACING = (1.0, 1.37, 2.11)


def code_of(corners):
    return sum(1 << (7 - CORNERS.index(tuple(c))) for c in corners)


def inside(code):
    return [c for c in CORNERS if code >> (7 - CORNERS.index(c)) & 1]


def polygon_area(points, spacing_mm):
    """Area of a planar polygon whose corners are given in voxels."""
    p = np.array(points, float) * spacing_mm
    return np.linalg.norm(sum(np.cross(p[i], p[i - 1]) for i in range(len(p)))) / 2


@pytest.mark.parametrize(
    ("corners", "polygons"),
    [
        ([], []),
        ([(0, 0, 0)], [[(0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5)]]),
        ([(0, 0, 0), (0, 0, 1)], [[(0.5, 0, 0), (0.5, 0, 1), (0, 0.5, 1), (0, 0.5, 0)]]),
        ([(0, *c) for c in itertools.product((0, 1), (0, 1))],
         [[(0.5, 0, 0), (0.5, 1, 0), (0.5, 1, 1), (0.5, 0, 1)]]),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)],
         [[(1, 0.5, 0), (0.5, 1, 0), (0, 1, 0.5), (0, 0.5, 1), (0.5, 0, 1), (1, 0, 0.5)]]),
        ([(0, 0, 0), (0, 1, 0), (0, 0, 1)],
         [[(0.5, 0, 0), (0.5, 1, 0), (0.5, 0, 1)],
          [(0.5, 1, 0), (0, 1, 0.5), (0, 0.5, 1), (0.5, 0, 1)]]),
        ([(0, 1, 1), (1, 1, 1), (1, 1, 0), (1, 0, 0)],
         [[(0, 0.5, 1), (0, 1, 0.5), (1, 0.5, 1)], [(0, 1, 0.5), (0.5, 1, 0), (0.5, 0, 0)],
          [(0, 1, 0.5), (0.5, 0, 0), (1, 0, 0.5)], [(0, 1, 0.5), (1, 0, 0.5), (1, 0.5, 1)]]),
    ],
    ids=["nothing", "corner", "edge", "face", "tripod", "L", "path"],
)  # fmt: skip
def test_each_shape_is_cut_along_the_midpoints_of_its_edges(corners, polygons):
    expected = sum(polygon_area(p, SPACING) for p in polygons)
    assert surface_areas(SPACING)[code_of(corners)] == pytest.approx(expected, rel=1e-14)


def test_inside_and_outside_share_their_surface():
    areas = surface_areas(SPACING)
    assert areas == pytest.approx(areas[::-1], rel=1e-14)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_turning_or_mirroring_a_neighbourhood_keeps_its_area(order):
    areas, turned = surface_areas(SPACING), surface_areas([SPACING[a] for a in order])
    for code, mirror in itertools.product(range(256), CORNERS):
        moved = [tuple(c[a] ^ m for a, m in zip(order, mirror, strict=True)) for c in inside(code)]
        assert turned[code_of(moved)] == pytest.approx(areas[code], rel=1e-14)


def test_components_that_touch_at_a_point_add_up():
    areas = surface_areas(SPACING)
    apart = areas[code_of([(0, 0, 0)])] + areas[code_of([(1, 1, 1)])]
    assert areas[code_of([(0, 0, 0), (1, 1, 1)])] == pytest.approx(apart)


def test_contours_are_sides_and_half_diagonals():
    lengths, diagonal = contour_lengths((3, 4)), 2.5
    assert lengths[0b0001] == lengths[0b1110] == pytest.approx(diagonal)
    assert lengths[0b0110] == pytest.approx(2 * diagonal)
    assert (lengths[0b0011], lengths[0b0101]) == (4, 3)
    assert lengths[0b0000] == lengths[0b1111] == 0
