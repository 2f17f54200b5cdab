"""One score a case of a map of uncertainty: how the doubt of its voxels is put together.

Sum, patch and threshold are those of ValUES (Kahl et al., ICLR 2024, §3), but the sum has a mean
beside it that no size changes, and a patch larger than the image is clipped to it. The foreground
mean is from Zenk et al. (2025, doi:10.1016/j.media.2024.103392).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxbench.compiled import read_only
from voxbench.uncertainty.box_sums import largest_box

PATCH = 10  # voxels a side, as in ValUES
BOUNDARY_MM = 5.0  # where the weight of a voxel has fallen to 1/e


class Patch(NamedTuple):
    """The box with the largest sum.

    Attributes:
        sum: of the box.
        mean: of the box.
        box: start and stop along each axis.
    """

    sum: float
    mean: float
    box: tuple[tuple[int, int], ...]


def image_sum(uncertainty: NDArray[Any]) -> float:
    """The sum over all voxels, which grows with the image."""
    return float(uncertainty.sum(dtype=np.float64))


def image_mean(uncertainty: NDArray[Any]) -> float:
    """The mean over all voxels."""
    return float(uncertainty.mean(dtype=np.float64))


def patch_maximum(uncertainty: NDArray[Any], size: int | Sequence[int] = PATCH) -> Patch:
    """The box of `size` voxels, one number or one an axis, whose sum is largest.

    A box is clipped to the image, which has up to three axes, where it is larger.
    """
    shape = uncertainty.shape
    wanted = (size,) * len(shape) if isinstance(size, int) else size
    sides = [min(side, axis) for side, axis in zip(wanted, shape, strict=True)]
    missing = (1,) * (3 - len(shape))
    volume = read_only(np.ascontiguousarray(uncertainty, np.float64).reshape(*missing, *shape))
    most, start = largest_box(volume, (*missing, *sides))
    places = zip(start[len(missing) :], sides, strict=True)
    return Patch(most, most / math.prod(sides), tuple((at, at + side) for at, side in places))


def validation_threshold(maps: Sequence[NDArray[Any]], foreground_shares: Sequence[float]) -> float:
    """The threshold that leaves as many voxels as are foreground, of validation cases.

    Args:
        maps: of uncertainty; all their voxels are taken together, in memory.
        foreground_shares: of the predictions: how much of each is no background.

    Returns:
        The quantile of the maps at the mean share of background.
    """
    voxels = np.concatenate([one.ravel() for one in maps])
    background = 1 - float(np.mean(foreground_shares, dtype=np.float64))
    return float(np.quantile(voxels, background, overwrite_input=True))


def threshold_mean(uncertainty: NDArray[Any], threshold: float) -> float:
    """The mean of what reaches the threshold; 0 where nothing does."""
    above = uncertainty[uncertainty >= threshold]
    return float(above.mean(dtype=np.float64)) if above.size else 0.0


def foreground_mean(uncertainty: NDArray[Any], foreground: NDArray[np.bool_]) -> float:
    """The mean over the predicted foreground; NaN where there is none."""
    inside = uncertainty[foreground]
    return float(inside.mean(dtype=np.float64)) if inside.size else math.nan


def boundary_weights(
    foreground: NDArray[np.bool_], spacing_mm: Sequence[float], width_mm: float = BOUNDARY_MM
) -> NDArray[np.float64]:
    """exp(−d/width) of each voxel, (*spatial), d the distance to the predicted boundary.

    The distance of a voxel is that to the centre of the nearest one on the other side of the
    boundary. 0 everywhere where nothing, or everything, is foreground.
    """
    if not foreground.any() or foreground.all():
        return np.zeros(foreground.shape)
    weights = np.asarray(ndimage.distance_transform_edt(foreground, spacing_mm), np.float64)
    weights += ndimage.distance_transform_edt(~foreground, spacing_mm)
    return np.exp(np.divide(weights, -width_mm, out=weights), out=weights)


def weighted_mean(uncertainty: NDArray[Any], weights: NDArray[np.float64]) -> float:
    """The mean with these weights; NaN where all are 0."""
    total = float(weights.sum())
    return float((weights * uncertainty).sum() / total) if total else math.nan
