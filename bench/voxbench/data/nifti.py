"""What every NIfTI reader shares: a volume in space, its affine, and errors that name the file."""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from voxbench.errors import DataError

UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,  # sizes that a damaged header invents
    MemoryError,
)
_UNITS_MM = {1: 1000.0, 3: 0.001}  # metres and microns, by their code in `xyzt_units`
_FORMS = 0.5  # voxels that sform and qform may be apart, which are rounded otherwise
_SHEAR = 0.01  # cosine between two axes: what rounded headers have is far below
_FIRST_VOXEL = 352  # the least offset in a single file
_NO_NUMBERS = {"V": "colours (RGB)", "c": "complex numbers"}


class Volume(NamedTuple):
    """An array with its place in space.

    Attributes:
        array: (d, h, w), or (channel, d, h, w) of an image file that holds several channels, or
            (h, w) where slices are accepted.
        affine: (4, 4), voxel indices to RAS+ millimetres.
        doubt: why the affine may be made up; empty where nothing says so.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    doubt: str = ""

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Voxel size in mm along each spatial axis of the array: the columns of the affine."""
        return tuple(float(mm) for mm in voxel_sizes(self.affine)[: self.array.ndim])

    @property
    def body_axis(self) -> int:
        """The spatial axis of the array that runs along the body, as far as one does."""
        return int(np.argmax(np.abs(self.affine[2, :3]) / voxel_sizes(self.affine)))


def affine_mm(header: Any, path: Path, axes: int = 3) -> NDArray[np.float64]:
    """Where the header of a file says that its voxels lie: by sform, else qform, else pixdim.

    Returns:
        (4, 4), voxel indices to RAS+ millimetres, whatever unit the header is in.

    Raises:
        DataError: its columns along the first `axes` axes do not span them, or are not at right
            angles.
    """
    affine = np.array(header.get_best_affine(), np.float64)
    if (
        not np.isfinite(affine).all()
        or np.prod(np.linalg.svd(affine[:3, :axes], compute_uv=False)) < 1e-12
    ):
        raise DataError(f"{path}: its affine has no inverse; the header is damaged.")
    affine[:3] *= _UNITS_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    check_angles(affine, path, axes)
    return affine


def check_angles(affine: NDArray[np.float64], path: Path, axes: int = 3) -> None:
    """Refuse a grid whose first `axes` axes are sheared, as a tilted gantry's is.

    Raises:
        DataError: two of them are half a degree or more from a right angle.
    """
    columns = affine[:3, :axes] / np.linalg.norm(affine[:3, :axes], axis=0)
    cosine = float(np.abs(columns.T @ columns - np.eye(axes)).max())
    if cosine > _SHEAR:
        degrees = float(np.degrees(np.arccos(min(cosine, 1.0))))
        raise DataError(
            f"{path}: its axes are sheared, two of them {degrees:.1f}° apart; resample it onto "
            "axes at right angles first, image and label alike (SimpleITK.Resample, "
            "nilearn.image.resample_img)."
        )


def doubt_of(header: Any, affine: NDArray[np.float64]) -> str:
    """Why the place of a file's voxels may be made up, or nothing."""
    if not (int(header["sform_code"]) or int(header["qform_code"])):
        return "neither sform nor qform is set: left and right are a guess"
    if np.array_equal(affine, np.eye(4)):
        return "the affine is the identity: voxel size and orientation may be lost"
    if header["sform_code"] and header["qform_code"] and _forms_apart(header) > _FORMS:
        return (
            "sform and qform place the voxels otherwise: the sform is taken, others read the qform"
        )
    return ""


def _forms_apart(header: Any) -> float:
    """The largest distance between the corners by sform and by qform, in voxels."""
    shape = (*header.get_data_shape(), 1, 1, 1)[:3]
    try:
        one, other = (
            Volume(np.broadcast_to(0, shape), form)
            for form in (header.get_sform(), header.get_qform())
        )
    except HeaderDataError:  # no rotation: the qform is of no use to anybody
        return 0.0
    return voxels_apart(one, other)


def check_voxels(dtype: np.dtype[Any], offset: int, path: Path, wanted: str) -> None:
    """Refuse a single file whose voxels are no plain numbers, or its header.

    Raises:
        DataError: they are colours or complex numbers, or begin at an `offset` in the header.
    """
    if dtype.kind in _NO_NUMBERS:
        raise DataError(f"{path}: holds {_NO_NUMBERS[dtype.kind]}, not {wanted}; convert it first.")
    if offset < _FIRST_VOXEL:
        raise DataError(f"{path}: its voxels begin at byte {offset}; the header is damaged.")


def without_trailing_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the axes of one voxel that follow its third."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def frame_of(shape: tuple[int, ...], frame: int, path: Path) -> tuple[slice, slice, slice, int]:
    """Where a frame lies in the array of a series in time.

    Raises:
        DataError: the file has three axes, or fewer frames.
    """
    if len(shape) != 4 or not 0 <= frame < shape[3]:
        raise DataError(f"{path}: frame {frame} is asked for, counted from 0; it has {shape}.")
    return slice(None), slice(None), slice(None), frame


def unreadable(path: Path, error: BaseException) -> DataError:
    """The error of a file that can't be read, with the reason."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: can't be read ({reason.removesuffix('.')}).")


def voxels_apart(one: Volume, other: Volume) -> float:
    """The largest distance between two grids' corners, in voxels of the smallest side.

    Both have the shape of `one`.
    """
    shape = one.array.shape[-3:]
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in (*shape, 1)[:3]], [1]))
    moved = ((one.affine - other.affine) @ corners.reshape(4, -1))[:3]
    return float(np.linalg.norm(moved, axis=0).max() / min(other.spacing_mm))
