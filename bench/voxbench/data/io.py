"""NIfTI files in and out."""

import gzip
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from voxbench.errors import DataError
from voxbench.files import write_atomically

_BROKEN = (
    ImageFileError,
    HeaderDataError,
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,  # sizes that a damaged header invents
    MemoryError,
)


class Volume(NamedTuple):
    """An array with its place in space.

    Attributes:
        array: (d, h, w), or (channel, d, h, w) of an image file that holds several channels.
        affine: (4, 4), voxel indices to RAS+ millimetres.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]


def read_image(path: Path) -> Volume:
    """Read intensities as float32; a fourth axis of the file becomes the channel axis.

    Raises:
        DataError: the file is missing, unreadable, or neither 3D nor 4D.
    """
    array, affine = _read(path, np.float32)
    if array.ndim == 4:
        array = np.moveaxis(array, 3, 0)
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise DataError(f"{path}: an image has 3 axes, or 4 with channels; got {array.shape}.")
    return Volume(array, affine)


def read_label(path: Path) -> Volume:
    """Read a label map; whole numbers that were stored as floats become int32.

    Raises:
        DataError: the file is missing, unreadable, not 3D, or holds values that are not whole.
    """
    array, affine = _read(path, None)
    if array.ndim != 3 or 0 in array.shape:
        raise DataError(f"{path}: a label map has 3 axes, got {array.shape}.")
    if not np.issubdtype(array.dtype, np.integer):
        whole = np.rint(array)
        if not (np.array_equal(whole, array) and np.abs(whole).max() < 2**31):
            raise DataError(f"{path}: a label map holds whole numbers; found fractions or NaN.")
        array = whole.astype(np.int32)
    return Volume(array, affine)


def write_label(path: Path, array: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write a label map (d, h, w) as uint8 in a .nii.gz; the same array gives the same bytes."""
    image = nibabel.Nifti1Image(np.asarray(array, np.uint8), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    write_atomically(path, gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def read_spacing(path: Path, axes: str = "RAS") -> tuple[float, float, float]:
    """Voxel size in mm along `axes`, from the header alone.

    Raises:
        DataError: the file is missing or unreadable.
    """
    affine = _load(path).affine
    order = np.argsort(
        nibabel.orientations.ornt_transform(
            nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes)
        )[:, 0]
    )
    sizes = nibabel.affines.voxel_sizes(affine)[order]
    return float(sizes[0]), float(sizes[1]), float(sizes[2])


def _read(path: Path, dtype: Any) -> Volume:
    image = _load(path)
    try:
        array = np.asanyarray(image.dataobj) if dtype is None else image.get_fdata(dtype=dtype)
    except _BROKEN as error:
        raise DataError(f"{path}: can't be read ({_reason(error)}).") from error
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    return Volume(array, np.asarray(image.affine, np.float64))


def _load(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    try:
        image = nibabel.load(path)
    except _BROKEN as error:
        raise DataError(f"{path}: can't be read ({_reason(error)}).") from error
    if not np.all(np.isfinite(image.affine)) or abs(np.linalg.det(image.affine)) < 1e-12:
        raise DataError(f"{path}: its affine has no inverse; the header is damaged.")
    return image


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
