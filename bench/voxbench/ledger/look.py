"""The look of a volume: a small picture of it that outlives what copies go through.

The box of the content is resampled to 24³ voxels and its grey values are replaced by their ranks.
So air around the patient, the grid, the unit of intensities, any monotone change of them and
the file's number format are gone; orientation is made canonical by the affine. What is left
(flips, swapped axes, a cropped field of view, a window that saturates) is for `registration`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import apply_orientation, io_orientation
from numpy.typing import NDArray

from voxbench.data.image import read_image
from voxbench.errors import DataError

LOOK_VERSION = 1
EDGE = 24  # voxels along each axis
_INTERMEDIATE = 64  # voxels along each axis that the content's box is looked for in
_AIR = 0.1  # share of the range of grey values below which a voxel is air
_LEVELS = 256  # of grey
_FILLED = 0.02  # share of a slice's voxels that makes it part of the content


class Look(NamedTuple):
    """How a volume looks.

    Attributes:
        ranks: (24, 24, 24) uint8, of the grey values over the box of the content.
        extent_mm: of that box along R, A, S.
    """

    ranks: NDArray[np.uint8]
    extent_mm: tuple[float, float, float]


def read_look(path: Path) -> Look:
    """The look of a NIfTI file; of several channels, the first.

    Raises:
        DataError: the file can't be read, or shows nothing: all its voxels are equal.
    """
    volume = read_image(path)
    array = volume.array if volume.array.ndim == 3 else volume.array[0]
    try:
        return look_of(array, volume.affine)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def look_of(array: NDArray[np.float32], affine: NDArray[np.float64]) -> Look:
    """The look of a volume (d, h, w) in any orientation; NaN counts as the lowest value.

    Raises:
        ValueError: all voxels are equal.
    """
    orientation = io_orientation(affine)
    oriented = np.asarray(apply_orientation(array, orientation), np.float32)
    spacing = voxel_sizes(affine)[np.argsort(orientation[:, 0])]
    finite = np.isfinite(oriented)
    if not finite.all():
        oriented = np.where(finite, oriented, oriented[finite].min() if finite.any() else 0)
    small = along(oriented, [resampling(size, min(size, _INTERMEDIATE)) for size in oriented.shape])
    if small.min() == small.max():
        raise ValueError("shows nothing: all its voxels are equal.")
    box = _content(small)
    picture = along(
        small, [resampling(n, EDGE, *span) for n, span in zip(small.shape, box, strict=True)]
    )
    a, b, c = (
        float((high - low) / shrunk * voxels * mm)
        for (low, high), shrunk, voxels, mm in zip(
            box, small.shape, oriented.shape, spacing, strict=True
        )
    )
    return Look(_ranks(picture), (a, b, c))


def resampling(
    size: int, target: int, low: float = 0.0, high: float | None = None
) -> NDArray[np.float32]:
    """Weights (target, size) that resample the span low…high of an axis, by triangles.

    A triangle is as wide as the coarser of the two grids, so that shrinking averages.
    """
    step = ((size if high is None else high) - low) / target
    centres = np.clip(low + (np.arange(target) + 0.5) * step - 0.5, 0, size - 1)
    distance = np.abs(centres[:, None] - np.arange(size)) / max(1.0, step)
    weights = np.clip(1 - distance, 0, None)
    weights /= weights.sum(1, keepdims=True)
    return np.asarray(weights, np.float32)


def along(array: NDArray[np.float32], matrices: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Apply one matrix (target, size) along each axis of a volume, the most shrinking first."""
    for axis in sorted(range(3), key=lambda axis: len(matrices[axis]) / array.shape[axis]):
        product: NDArray[np.float32] = np.tensordot(matrices[axis], array, (1, axis))
        array = np.moveaxis(product, 0, axis)
    return array


def _content(volume: NDArray[np.float32]) -> list[tuple[int, int]]:
    """First and past-the-last slice along each axis that holds more than air."""
    low, high = np.percentile(volume, (1, 99))
    filled = volume > low + _AIR * (high - low)
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        slices = np.flatnonzero(filled.mean(others) > _FILLED)
        spans.append(
            (int(slices[0]), int(slices[-1]) + 1) if len(slices) else (0, filled.shape[axis])
        )
    return spans


def _ranks(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Share of the voxels that are darker, in 255ths; equal voxels share the middle of theirs.

    Greys that differ by less than a 256th of their range count as equal: in a plateau such as
    air, order is noise.
    """
    low, high = np.percentile(values, (1, 99))
    step = (high - low if high > low else np.ptp(values)) / _LEVELS
    _, level, count = np.unique(
        np.rint((values - low) / step), return_inverse=True, return_counts=True
    )
    share = (np.cumsum(count) - count / 2) / values.size
    ranks: NDArray[np.uint8] = np.rint(255 * share[level]).astype(np.uint8)
    return ranks.reshape(values.shape)
