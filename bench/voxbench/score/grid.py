"""Whether two label maps lie on one grid, and one on the voxels of another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.data.nifti import Volume, voxels_apart
from voxbench.errors import DataError

SAME_GRID = 0.02  # of the smallest voxel side: how far apart the corners of one grid may lie


def same_grid(one: Volume, other: Volume) -> bool:
    """Whether two maps have one shape and their corners lie at the same places."""
    return one.array.shape == other.array.shape and voxels_apart(one, other) <= SAME_GRID


def labels_on_grid(moving: Volume, grid: Volume) -> NDArray[Any]:
    """`moving`'s labels on the voxels of `grid`, by the nearest voxel; 0 outside of it.

    Raises: DataError if either is not 3D.
    """
    if moving.array.ndim != 3 or grid.array.ndim != 3:
        raise DataError("only volumes can be resampled: give slices on one grid.")
    to_moving = np.linalg.inv(moving.affine) @ grid.affine
    out = np.zeros(grid.array.shape, moving.array.dtype, order="F")
    limits = np.array(moving.array.shape)
    i, j = np.indices(out.shape[:2], sparse=True)
    for k in range(out.shape[2]):  # a slice at a time, for the memory of it
        at = [
            np.rint(row[0] * i + row[1] * j + row[2] * k + row[3]).astype(np.int64)
            for row in to_moving[:3]
        ]
        inside = np.logical_and.reduce(
            [(a >= 0) & (a < n) for a, n in zip(at, limits, strict=True)]
        )
        out[..., k][inside] = moving.array[tuple(a[inside] for a in at)]
    return out
