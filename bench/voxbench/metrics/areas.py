"""How much boundary a 2×2×2 neighbourhood of voxels holds, in mm²: marching cubes on a binary mask.

A lattice corner between eight voxels has a code: bit `7 - (4a + 2b + c)` tells whether the voxel at
offset (a, b, c) is inside. Marching cubes cuts the cube of voxel centres through the midpoints of
the edges that join an inside to an outside voxel. The area of that cut depends only on how the
inside voxels hang together along edges, so that six shapes describe all 256 codes (a code with more
than four inside voxels has the area of its complement).
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int, int]
CORNERS: list[Corner] = list(itertools.product((0, 1), repeat=3))  # type: ignore[arg-type]
ONES = np.ones(3)
UNIT = np.eye(3)


def surface_areas(spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Area in mm² of each of the 256 codes for voxels of `spacing_mm` (3 numbers, mm).

    Returns: (256,) float64. Source: Lorensen & Cline 1987, with the triangulation of
    google-deepmind/surface-distance.
    """
    sides = np.asarray(spacing_mm, dtype=float)
    faces = sides.prod() / sides  # mm² of a voxel's face, by the axis that it is normal to
    codes, normals = _cuts()
    areas = np.bincount(codes, np.linalg.norm(normals * faces, axis=1), minlength=256)
    return areas.astype(np.float64)


def contour_lengths(spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Contour length in mm of each code for pixels of `spacing_mm` (2 numbers, mm).

    The pixel neighbourhood is read from the low four bits, so that a slice stacked on itself can
    use the volume's kernels. Returns: (256,) float64.
    """
    # A slab one mm thick has the contour's length as its area: both layers of voxels are the same.
    slab = surface_areas((1.0, *spacing_mm))
    return np.array([slab[(code & 15) * 17] for code in range(256)])


@cache
def _cuts() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The pieces of all cuts: their codes (n,) and area vectors (n, 3) in units of voxel faces."""
    pieces = [(code, normal) for code in range(256) for normal in _normals(code)]
    return np.array([code for code, _ in pieces]), np.array([normal for _, normal in pieces])


def _normals(code: int) -> Iterator[NDArray[np.float64]]:
    """Area vectors, in units of voxel faces, of the planar pieces that the cut of `code` has."""
    inside = {c for bit, c in enumerate(CORNERS) if code >> (7 - bit) & 1}
    if len(inside) > 4:
        inside = set(CORNERS) - inside
    while inside:
        part = _component(inside)
        inside -= part
        yield from _pieces(part)


def _component(inside: set[Corner]) -> set[Corner]:
    """The corners of `inside` that hang together, along edges of the cube, with its smallest."""
    part, front = set(), {min(inside)}
    while front:
        part |= front
        front = {c for c in inside - part if any(_axis(c, other) is not None for other in part)}
    return part


def _axis(one: Corner, other: Corner) -> int | None:
    """The axis of the edge that joins two corners, None where they are not neighbours."""
    different = [axis for axis in range(3) if one[axis] != other[axis]]
    return different[0] if len(different) == 1 else None


def _pieces(part: set[Corner]) -> Iterator[NDArray[np.float64]]:
    """The pieces that separate one component of at most four corners from the rest of the cube."""
    edges = {(a, b): _axis(a, b) for a, b in itertools.combinations(sorted(part), 2)}
    axes = [axis for axis in edges.values() if axis is not None]
    free = sum(UNIT[axis] for axis in range(3) if axis not in axes)
    degree = max((sum(c in e for e, x in edges.items() if x is not None) for c in part), default=0)
    match len(part), len(axes), degree:
        case 1, _, _:  # a corner: one triangle
            yield ONES / 8
        case 2, _, _:  # an edge: a rectangle, slanted between the two other axes
            yield free / 2
        case 3, _, _:  # an L: half a face and a trapezoid
            yield free / 2
            yield ONES * 3 / 8
        case 4, 4, _:  # a face: a square
            yield free
        case 4, _, 3:  # a tripod: a regular hexagon
            yield ONES * 3 / 4
        case _:  # a path of three steps: two triangles and two that lie along the middle step
            middle = next(
                x for (a, b), x in edges.items() if x is not None and not _is_leaf(edges, a, b)
            )
            yield ONES / 8
            yield ONES * 3 / 8
            for axis in {0, 1, 2} - {middle}:
                yield (UNIT[axis] + UNIT[middle]) / 4


def _is_leaf(edges: dict[tuple[Corner, Corner], int | None], *ends: Corner) -> bool:
    """Whether one of `ends` has only one neighbour among `edges`."""
    return any(sum(c in e for e, x in edges.items() if x is not None) == 1 for c in ends)
