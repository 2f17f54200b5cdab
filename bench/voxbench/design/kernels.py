"""Kernels and strides of a network, level by level: cubes, or by the voxel size."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

Scale = tuple[int, int, int]
"""Along each axis: voxels of a kernel, or of the image to one of a map."""
Spacing = tuple[float, float, float]

FULL: Scale = (1, 1, 1)
CUBE: Scale = (3, 3, 3)
_NEAR = 2.0  # times the smallest side, below which voxels are as good as cubes


class Level(NamedTuple):
    """The convolutions of a level.

    Attributes:
        kernel: of all of them.
        stride: of the first.
    """

    kernel: Scale
    stride: Scale


def levels(count: int, stem: int = 1, spacing: Spacing | None = None) -> list[Level]:
    """Levels that halve every axis, or that bring voxels closer to cubes.

    The rule of nnU-Net's planner (Isensee et al., 2021; `get_pool_and_conv_props` of its version
    2): an axis is halved where voxels are less than twice as long along it as along the shortest,
    kernels are one voxel wide along an axis until then and three from then on, and on the last
    level. Here a network's size says how many levels there are, and the patch stops no axis.

    Args:
        count: of them, 1 or more.
        stem: stride of the first along the axes that it shrinks.
        spacing: voxel size of the image in mm; None halves every axis.
    """
    sides, wide, found = list(spacing or FULL), [False] * 3, list[Level]()
    for level in range(count):
        factor = 2 if level else stem
        a, b, c = (factor if near else 1 for near in _near(sides))
        sides = [side * n for side, n in zip(sides, (a, b, c), strict=True)]
        wide = [before or now for before, now in zip(wide, _near(sides), strict=True)]
        d, e, f = (3 if one or level + 1 == count else 1 for one in wide)
        found.append(Level((d, e, f), (a, b, c)))
    return found


def uneven(spacing_mm: Spacing) -> Spacing | None:
    """A voxel size by which kernels differ from cubes; None where they don't."""
    return None if all(_near(spacing_mm)) else spacing_mm


def scales(levels: Sequence[Level]) -> tuple[Scale, ...]:
    """Voxels of the image to one of each level's map."""
    return tuple(
        accumulate(
            (level.stride for level in levels),
            lambda one, other: (one[0] * other[0], one[1] * other[1], one[2] * other[2]),
        )
    )


def _near(sides: Sequence[float]) -> list[bool]:
    return [side < _NEAR * min(sides) for side in sides]
