"""Spacing, patch and batch as nnU-Net plans them, from the sizes of the training cases.

Isensee et al., Nature Methods 2021, with its supplement; own implementation, of the full-resolution
3D configuration. Different here: shapes are those of the files, not cropped to the nonzero voxels,
so that headers suffice; memory is counted in voxels, those of two patches of 128³, which is what
nnU-Net gives a GPU of 8 GB, and not by the maps of one network, since all arms share the plan; and
sides of a patch are multiples of 32, which every network here can halve.
"""

import math

import numpy as np
from numpy.typing import NDArray

Sizes = NDArray[np.float64]
Spacing = tuple[float, float, float]
Patch = tuple[int, int, int]

MULTIPLE, LARGEST = 32, 512
PATCH_VOXELS = 128**3
BATCH_VOXELS = 2 * PATCH_VOXELS
_ANISOTROPIC = 3.0  # times coarser, and fewer voxels, than every other axis
_LOW_PERCENTILE = 10
_COVERED = 0.05  # of the voxels of all training cases, at most in a batch
_FEWEST, _MOST = 2, 256  # patches of a batch


def plan_spacing(spacings: Sizes, shapes: Sizes) -> Spacing:
    """The median voxel size; where slices are thick, their 10th percentile.

    Slices are thick if their distance is over three times the next largest voxel size, and they are
    fewer than a third of the voxels along any other axis. The 10th percentile never makes the
    distance smaller than the voxels in the plane.

    Args:
        spacings: (case, axis) in mm.
        shapes: (case, axis) in voxels of these sizes.
    """
    target = np.median(spacings, axis=0)
    size = np.median(shapes, axis=0)
    worst = int(np.argmax(target))
    others = [axis for axis in range(3) if axis != worst]
    in_plane = float(target[others].max())
    coarse = target[worst] > _ANISOTROPIC * in_plane
    if coarse and size[worst] * _ANISOTROPIC < size[others].min():
        target[worst] = max(np.percentile(spacings[:, worst], _LOW_PERCENTILE), in_plane)
    a, b, c = (round(float(mm), 4) for mm in target)
    return a, b, c


def plan_patch(shapes: Sizes, spacing: Spacing) -> Patch:
    """The largest patch of the budget that has the shape of the volumes.

    A cube in mm of 256³ voxels, no side longer than the median volume, each at the multiple of 32
    that is nearest; then the side that covers most of the volume shrinks until the budget holds.

    Args:
        shapes: (case, axis) in voxels.
        spacing: of these voxels in mm.
    """
    shape = np.median(shapes, axis=0).tolist()
    cube = (256.0**3 * math.prod(spacing)) ** (1 / 3)
    wanted = [min(cube / mm, size, LARGEST) for mm, size in zip(spacing, shape, strict=True)]
    sides = [max(MULTIPLE, round(side / MULTIPLE) * MULTIPLE) for side in wanted]
    while math.prod(sides) > PATCH_VOXELS:
        shrinkable = [axis for axis in range(3) if sides[axis] > MULTIPLE]
        sides[max(shrinkable, key=lambda axis: sides[axis] / shape[axis])] -= MULTIPLE
    a, b, c = sides
    return a, b, c


def plan_batch(patch: Patch, shapes: Sizes) -> int:
    """As many patches as the budget holds, at least 2, that cover at most 5% of all voxels.

    Args:
        patch: its sides.
        shapes: (case, axis) in voxels.
    """
    size, voxels = math.prod(patch), float(shapes.prod(axis=1).sum())
    return min(_MOST, max(_FEWEST, min(BATCH_VOXELS // size, round(_COVERED * voxels / size))))
