"""Label maps: whole numbers on the voxels of a volume.

A file is read and decompressed in one go, which lets other threads work meanwhile, and its voxels
are used where they lie: no copy, no scaling to floating point where the header asks for none.
"""

import gzip
import logging
import math
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from voxbench.data.nifti import (
    UNREADABLE,
    Volume,
    affine_mm,
    check_voxels,
    frame_of,
    unreadable,
    without_trailing_axes,
)
from voxbench.data.other_formats import LABEL_NAMES, is_other, read_other, refuse_frame
from voxbench.data.pictures import read_pictures
from voxbench.data.volume_files import is_picture, slice_files
from voxbench.errors import DataError
from voxbench.files import write_atomically

_ROUNDED = 1e-3
_BYTE = 255
_SILENT = logging.Logger("nifti", logging.CRITICAL + 1)  # what can't be mended is raised


def read_label_map(
    path: Path, *, slices: bool = False, beside: Path | None = None, frame: int | None = None
) -> Volume:
    """Read a label map (d, h, w) of integers; whole numbers stored as floats become int32.

    Args:
        path: NRRD, MHA or NPZ by its name, else NIfTI-1 or -2 in one file, compressed or not; or
            a folder of slices.
        slices: accept (h, w) as well.
        beside: the image, whose slices the label's pictures were drawn on.
        frame: the one volume of a series in time (d, h, w, t) that is read, from 0.

    Raises:
        DataError: the file is missing or damaged, has other axes, or holds anything but whole
            numbers.
    """
    if is_other(path):
        refuse_frame(frame, path)
        pictures = any(map(is_picture, slice_files(path)))
        found = read_pictures(path, beside) if pictures else read_other(path, LABEL_NAMES)
        if found.array.ndim != 3 or found.array.dtype.kind not in "biuf":
            raise DataError(f"{path}: a label map has 3 axes of numbers, got {found.array.shape}.")
        return found._replace(array=_whole(found.array, (None, None), path))
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    try:
        raw = _inflated(path.read_bytes())
        header = _header(raw)
        shape = without_trailing_axes(header.get_data_shape())
        voxels, start = math.prod(shape), 0
        if frame is not None:
            frame_of(header.get_data_shape(), frame, path)
            shape, voxels = shape[:3], math.prod(shape[:3])
            start = frame * voxels
        if len(shape) not in ((2, 3) if slices else (3,)) or min(shape) < 1:
            raise DataError(f"{path}: a label map has 3 axes, got {shape}.")
        affine = affine_mm(header, path, len(shape))
        stored = _stored(raw, header, start + voxels, path)[start:]
        labels = _whole(stored, header.get_slope_inter(), path)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    return Volume(labels.reshape(shape, order="F"), affine)


def write_label_map(
    path: Path, array: NDArray[Any], affine: NDArray[np.float64], described: bytes = b""
) -> None:
    """Write a label map (d, h, w) in a .nii.gz; the same array gives the same bytes.

    It is uint8, or uint16 where a value needs it.
    """
    narrow = np.uint8 if array.max(initial=0) <= _BYTE else np.uint16
    image = nibabel.Nifti1Image(np.asarray(array, narrow), affine)
    image.header["descrip"] = described
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    write_atomically(path, gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def label_values(array: NDArray[Any]) -> list[int]:
    """The distinct values of a label map, without sorting its voxels."""
    if array.min() < 0 or array.max() > _BYTE:
        return [int(value) for value in np.unique(array)]
    counts = np.zeros(_BYTE + 1, np.int64)
    for slab in array.T:  # a file's last axis is its slowest
        counts += np.bincount(slab.ravel().astype(np.int64, copy=False), minlength=_BYTE + 1)
    return [int(value) for value in np.flatnonzero(counts)]


def _inflated(raw: bytes) -> bytes:
    """`raw` without its gzip compression, if it has any; members one after another are joined."""
    parts = []
    while raw[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(wbits=31)
        parts.append(stream.decompress(raw))
        if not stream.eof:
            raise ValueError("its compressed data end too early")
        raw = stream.unused_data
    return b"".join(parts) if len(parts) > 1 else parts[0] if parts else raw


def _header(raw: bytes) -> Any:
    """The header that a file begins with, mended where it can be; extensions are skipped."""
    for kind, at in ((nibabel.Nifti1Header, 344), (nibabel.Nifti2Header, 4)):
        size, magic = kind.sizeof_hdr, raw[at : at + 3]
        if size not in (int.from_bytes(raw[:4], order) for order in ("little", "big")):
            continue
        if magic == kind.pair_magic:
            raise ValueError("it is one half of a pair of files (.hdr, .img); join them")
        if magic == kind.single_magic and len(raw) >= size:
            header = kind(raw[:size], check=False)
            header.check_fix(_SILENT)
            return header
    raise ValueError("it is no NIfTI file, or not all of one")


def _stored(raw: bytes, header: Any, voxels: int, path: Path) -> NDArray[Any]:
    """The voxels of a file (n,), where they lie and as they are."""
    dtype, start = header.get_data_dtype(), int(header.get_data_offset())
    check_voxels(dtype, start, path, "labels")
    if len(raw) < start + voxels * dtype.itemsize:
        raise ValueError(
            f"its header asks for {start + voxels * dtype.itemsize:,} bytes, it has {len(raw):,}"
        )
    return np.frombuffer(raw, dtype, voxels, start)


def _whole(
    stored: NDArray[Any], scaling: tuple[float | None, float | None], path: Path
) -> NDArray[Any]:
    """The labels that `stored` stands for by slope and intercept, as integers."""
    slope, intercept = scaling
    scaled = slope is not None and (slope, intercept) != (1.0, 0.0)
    if stored.dtype.kind == "b":
        return stored.view(np.uint8)
    if stored.dtype.kind in "iu" and not scaled:
        return stored
    with np.errstate(all="ignore"):  # what overflows is refused below
        values = stored * float(slope or 1) + float(intercept or 0) if scaled else stored
        labels = np.rint(values)
    # a slope is stored as float32: what it makes of whole numbers is beside them by its rounding
    whole = np.allclose(values, labels, rtol=0, atol=_ROUNDED if scaled else 0)
    if not whole or np.abs(labels).max() >= 2**31:
        raise DataError(
            f"{path}: a label map holds whole numbers; found fractions, NaN or numbers beyond"
            " 2^31: is it an image or a probability?"
        )
    return labels.astype(np.int32)
