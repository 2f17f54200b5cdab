"""Images: intensities and voxel sizes."""

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from voxbench.data.content_hash import file_stamp, remembered, remembered_all
from voxbench.data.dicom import find_series
from voxbench.data.nifti import (
    UNREADABLE,
    Volume,
    affine_mm,
    check_voxels,
    doubt_of,
    frame_of,
    unreadable,
    without_trailing_axes,
)
from voxbench.data.other_formats import IMAGE_NAMES, is_other, read_other, refuse_frame
from voxbench.errors import DataError

_Grid = tuple[tuple[int, ...], NDArray[np.float64]]
_GRID = "grid 1"  # counts up when files are read otherwise: what is remembered outlives a version
_KNOWN: dict[tuple[Path, str | None], _Grid] = {}  # file and its stamp → what this process knows


def read_image(path: Path, frame: int | None = None) -> Volume:
    """Read intensities as float32; a fourth axis of a NIfTI file becomes the channel axis.

    Args:
        path: of the file.
        frame: the one volume of a series in time that is read, from 0.

    Raises:
        DataError: the file is missing, unreadable, neither 3D nor 4D, or holds no numbers; or has
            no such frame.
    """
    if is_other(path):
        refuse_frame(frame, path)
        return _other(path)
    image = _opened(path)
    try:
        check_voxels(image.get_data_dtype(), image.dataobj.offset, path, "intensities")
        affine = affine_mm(image.header, path)
        stored = image if frame is None else image.slicer[frame_of(image.shape, frame, path)]
        array = stored.get_fdata(dtype=np.float32)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    array = array.reshape(without_trailing_axes(array.shape), order="A")
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise DataError(f"{path}: an image has 3 axes, or 4 with channels; got {array.shape}.")
    channels = np.moveaxis(array, 3, 0) if array.ndim == 4 else array
    return Volume(channels, affine, doubt_of(image.header, affine))


def read_spacing(path: Path, axes: str = "RAS") -> tuple[float, float, float]:
    """Voxel size in mm along `axes`, from the header alone.

    Raises:
        DataError: the file is missing or unreadable.
    """
    _, affine = _grid(path, file_stamp(path))
    a, b, c = (float(mm) for mm in voxel_sizes(affine)[_order(affine, axes)])
    return a, b, c


def read_extent(path: Path, axes: str = "RAS") -> tuple[float, float, float]:
    """Size of the volume in mm along `axes`, from the header alone.

    Raises:
        DataError: the file is missing or unreadable.
    """
    shape, affine = _grid(path, file_stamp(path))
    extent = voxel_sizes(affine) * shape[-3:]
    a, b, c = (float(mm) for mm in extent[_order(affine, axes)])
    return a, b, c


def recall_grids(paths: Iterable[Path]) -> None:
    """Look up the grids of many files at once; those that nobody opened yet are opened and kept.

    A corpus of thousands is then planned again without opening its volumes.
    """
    known = {f"{_GRID}\0{stamp}": (path, stamp) for path in paths if (stamp := file_stamp(path))}
    told = remembered_all({key: partial(_readable, path) for key, (path, _) in known.items()})
    _KNOWN.update({known[key]: _told(grid) for key, grid in told.items()})


def _grid(path: Path, stamp: str | None) -> _Grid:
    """Shape of the spatial axes, and the affine.

    Remembered while the file's stamp stays: planning asks for spacing and extent several times.
    What has no header to read alone, as NIfTI has, is opened once for all processes.
    """
    if (path, stamp) not in _KNOWN:
        if is_other(path) and stamp is not None:
            found = _told(remembered(f"{_GRID}\0{stamp}", lambda: _opened_grid(path)))
        else:
            found = _told(_opened_grid(path))
        _KNOWN[path, stamp] = found
    return _KNOWN[path, stamp]


def _told(grid: str) -> _Grid:
    shape, affine = json.loads(grid)
    return tuple(shape), np.array(affine)


def _readable(path: Path) -> str | None:
    try:
        return _opened_grid(path)
    except DataError:
        return None  # which `prepare` tells


def _opened_grid(path: Path) -> str:
    if not is_other(path):
        header = _opened(path).header
        return json.dumps([header.get_data_shape()[:3], affine_mm(header, path).tolist()])
    if path.is_dir():
        series = find_series(path)
        return json.dumps([series.shape, series.affine.tolist()])
    volume = _other(path)
    return json.dumps([volume.array.shape, volume.affine.tolist()])


def _other(path: Path) -> Volume:
    found = read_other(path, IMAGE_NAMES)
    if found.array.dtype.kind not in "biuf":
        raise DataError(f"{path}: holds {found.array.dtype}, not intensities; convert it first.")
    return found._replace(array=found.array.astype(np.float32))


def _order(affine: NDArray[np.float64], axes: str) -> NDArray[np.intp]:
    """The axes of an array that lie along `axes`."""
    return np.argsort(ornt_transform(io_orientation(affine), axcodes2ornt(axes))[:, 0])


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    try:
        image = nibabel.load(path)
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    if not isinstance(image, nibabel.Nifti1Image):
        raise DataError(f"{path}: is no NIfTI file, but a {type(image).__name__}; convert it.")
    return image
