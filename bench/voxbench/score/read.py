"""Read a label map as the integers it holds on disk, and bring one onto another's grid.

A file is read and decompressed in one go, which lets other threads work meanwhile, and its voxels
are used where they lie: no copy, no scaling to floating point where the header asks for none.
"""

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from voxbench.errors import DataError

SAME_GRID = 0.02  # of the smallest voxel side: how far apart the corners of one grid may lie


class LabelMap(NamedTuple):
    """Integer labels (x, y, z), mm per axis, and the affine (4, 4) to world coordinates."""

    labels: NDArray[Any]
    spacing_mm: tuple[float, ...]
    affine: NDArray[np.float64]


def read_label_map(file: Path) -> LabelMap:
    """Read a NIfTI label map, compressed or not.

    Raises: DataError if the file can't be read, or holds anything but whole numbers.
    """
    try:
        raw = _inflated(file.read_bytes())
        kind = (
            nib.Nifti2Header if raw[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") else nib.Nifti1Header
        )
        header = kind.from_fileobj(BytesIO(raw[:1024]))
        offset = int(header.get_data_offset())
        shape = header.get_data_shape()
        stored = np.frombuffer(raw, header.get_data_dtype(), int(np.prod(shape)), offset)
    except (OSError, ValueError, zlib.error, WrapStructError) as error:
        raise DataError(f"{file} can't be read as NIfTI: {error}.") from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    labels = _whole(stored, header.get_slope_inter(), file).reshape(shape, order="F")
    spacing = tuple(float(mm) for mm in header.get_zooms()[: len(shape)])
    return LabelMap(labels, spacing, np.asarray(header.get_best_affine(), float))


def _inflated(raw: bytes) -> bytes:
    """`raw` without its gzip compression, if it has any; members one after another are joined."""
    parts = []
    while raw[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(wbits=31)
        parts.append(stream.decompress(raw))
        if not stream.eof:
            raise ValueError("the compressed data end too early")
        raw = stream.unused_data
    return b"".join(parts) if len(parts) > 1 else parts[0] if parts else raw


def _whole(
    stored: NDArray[Any], scaling: tuple[float | None, float | None], file: Path
) -> NDArray[Any]:
    """The labels that `stored` stands for, as integers."""
    slope, inter = scaling
    scaled = slope is not None and (slope, inter) != (1.0, 0.0)
    if stored.dtype.kind in "iu" and not scaled:
        return stored
    if stored.dtype.kind not in "iuf":
        raise DataError(f"{file} holds {stored.dtype}, not labels.")
    values = stored * float(slope or 1) + float(inter or 0) if scaled else stored
    labels = np.rint(values)
    if not np.array_equal(values, labels) or np.abs(labels).max(initial=0) >= 2**31:
        raise DataError(
            f"{file} holds numbers that are not whole: is it an image or a probability?"
        )
    return labels.astype(np.int32)


def same_grid(one: LabelMap, other: LabelMap) -> bool:
    """Whether two maps have one shape and their corners lie at the same places."""
    if one.labels.shape != other.labels.shape:
        return False
    corners = np.array(list(np.ndindex(2, 2, 2))) * np.resize((*one.labels.shape, 1), 3)
    apart = corners @ (one.affine - other.affine)[:3, :3].T + (one.affine - other.affine)[:3, 3]
    return float(np.abs(apart).max()) <= SAME_GRID * min(one.spacing_mm)


def resample_nearest(moving: LabelMap, grid: LabelMap) -> NDArray[Any]:
    """`moving`'s labels on the voxels of `grid`, by the nearest voxel; 0 outside of it.

    Raises: DataError if either is not 3D.
    """
    if moving.labels.ndim != 3 or grid.labels.ndim != 3:
        raise DataError("only volumes can be resampled: give slices on one grid.")
    to_moving = np.linalg.inv(moving.affine) @ grid.affine
    out = np.zeros(grid.labels.shape, moving.labels.dtype, order="F")
    limits = np.array(moving.labels.shape)
    i, j = np.indices(out.shape[:2], sparse=True)
    for k in range(out.shape[2]):  # a slice at a time, for the memory of it
        at = [
            np.rint(row[0] * i + row[1] * j + row[2] * k + row[3]).astype(np.int64)
            for row in to_moving[:3]
        ]
        inside = np.logical_and.reduce(
            [(a >= 0) & (a < n) for a, n in zip(at, limits, strict=True)]
        )
        out[..., k][inside] = moving.labels[tuple(a[inside] for a in at)]
    return out
