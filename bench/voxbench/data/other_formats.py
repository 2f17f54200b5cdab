"""Volumes that are no NIfTI: NRRD, MetaImage and DICOM through SimpleITK, NumPy's NPZ."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.data.dicom import read_series
from voxbench.data.itk import LPS_TO_RAS, itk_reason, simple_itk
from voxbench.data.nifti import Volume, check_angles, unreadable
from voxbench.data.volume_files import HEADERS, ITK, NPZ, stem_of
from voxbench.errors import DataError

IMAGE_NAMES = ("image", "images", "img", "imgs", "data")
LABEL_NAMES = ("label", "labels", "gt", "gts", "seg", "mask")
_DETACHED = re.compile(rb"^\s*(data ?file\s*:|ElementDataFile\s*=(?!\s*LOCAL))", re.M | re.I)


def is_other(path: Path) -> bool:
    """Whether a file's name ends in one of these formats, or it is a folder of slices."""
    ended = stem_of(path.name) is not None and path.name.lower().endswith((*ITK, *NPZ, *HEADERS))
    return ended or path.is_dir()


def refuse_frame(frame: int | None, path: Path) -> None:
    """Refuse a frame of a series in time.

    Raises:
        DataError: one is asked for.
    """
    if frame is not None:
        raise DataError(f"{path}: frames are read of NIfTI files alone; convert it first.")


def read_other(path: Path, names: Sequence[str]) -> Volume:
    """Read a volume as it is stored.

    Args:
        path: of the file, or the folder of a DICOM series.
        names: of the array, in an NPZ that holds several.

    Returns:
        (d, h, w), or (channel, d, h, w), and the affine.

    Raises:
        DataError: the file is missing or damaged, is a header alone, SimpleITK is not there, or an
            NPZ does not say where its voxels lie.
    """
    if path.is_dir():
        return read_series(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    if path.name.lower().endswith(HEADERS):
        raise _detached(path)
    found = _npz(path, names) if path.name.lower().endswith(NPZ) else _itk(path)
    if not np.isfinite(found.affine).all() or abs(np.linalg.det(found.affine[:3, :3])) < 1e-12:
        raise DataError(f"{path}: its affine has no inverse; the header is damaged.")
    check_angles(found.affine, path)
    return found


def _itk(path: Path) -> Volume:
    library = simple_itk(path)
    with path.open("rb") as file:
        if _DETACHED.search(file.read(1 << 14).partition(b"\n\n")[0]):
            raise _detached(path)
    try:
        image = library.ReadImage(str(path))
    except RuntimeError as error:  # its only one
        raise unreadable(path, itk_reason(error)) from None
    array, axes = library.GetArrayFromImage(image), image.GetDimension()
    if axes != 3:
        raise DataError(f"{path}: a volume has 3 axes, got {axes}.")
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    # its arrays are (z, y, x), with the components of a voxel last
    return Volume(array.T if array.ndim == 3 else array.transpose(3, 2, 1, 0), LPS_TO_RAS @ affine)


def _detached(path: Path) -> DataError:
    return DataError(
        f"{path}: its voxels lie in another file; write both as one, .nii.gz, .nrrd or .mha."
    )


def _npz(path: Path, names: Sequence[str]) -> Volume:
    try:
        with np.load(path, allow_pickle=False) as stored:
            array = _chosen(path, stored, names)
            affine = np.array(stored["affine"], float) if "affine" in stored.files else None
            spacing = np.array(stored["spacing"], float) if "spacing" in stored.files else None
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise unreadable(path, error) from error
    if affine is not None and affine.shape == (4, 4):
        return Volume(array, affine)
    if spacing is not None and spacing.shape == (3,):
        return Volume(array, np.diag([*spacing, 1.0]), "no affine: left and right are a guess")
    raise DataError(
        f"{path}: says not where its voxels lie; add an array `affine` (4, 4) to RAS millimetres, "
        "or `spacing` (3,) along its axes."
    )


def _chosen(path: Path, stored: Any, names: Sequence[str]) -> NDArray[Any]:
    """The array of one of these names, else the only volume."""
    named = [name for name in stored.files if name in names]
    if len(named) != 1:
        others = {*IMAGE_NAMES, *LABEL_NAMES, "affine", "spacing"}
        named = named or [name for name in stored.files if name not in others]
    if len(named) != 1:
        raise DataError(
            f"{path}: expected one array called {' or '.join(names)}, got "
            f"{', '.join(stored.files) or 'none'}."
        )
    array: NDArray[Any] = stored[named[0]]
    if array.ndim not in (3, 4):
        raise DataError(f"{path}: a volume has 3 axes, or 4 with channels; got {array.shape}.")
    return array
