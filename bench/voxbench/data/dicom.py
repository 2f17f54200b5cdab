"""A folder of DICOM slices as one volume.

A slice lies where its ImagePositionPatient and ImageOrientationPatient say (DICOM PS3.3, C.7.6.2),
whatever its file is called.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.data.itk import LPS_TO_RAS, itk_reason, simple_itk
from voxbench.data.nifti import Volume, check_angles, unreadable
from voxbench.data.volume_files import is_picture, slice_files
from voxbench.errors import DataError

_POSITION, _ORIENTATION, _SPACING, _SERIES = "0020|0032", "0020|0037", "0028|0030", "0020|000e"
_UNEVEN = 0.1  # of the distance between slices, that one may lie beside its place
_ALIKE = 1e-3  # between the cosines or sides of two slices: what rounded headers differ in


class Slice(NamedTuple):
    """What the header of one DICOM file says of its place.

    Attributes:
        path: of the file.
        series: its SeriesInstanceUID.
        size: columns and rows.
        position: of the first pixel, LPS millimetres.
        axes: (3, 2) LPS millimetres from a column to the next and from a row to the next.
    """

    path: Path
    series: str
    size: tuple[int, int]
    position: NDArray[np.float64]
    axes: NDArray[np.float64]

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction that slices follow one another along."""
        across = np.cross(self.axes[:, 0], self.axes[:, 1])
        return np.array(across / np.linalg.norm(across))


class Series(NamedTuple):
    """The slices of a volume.

    Attributes:
        slices: in the order of their places, against which the affine counts.
        affine: (4, 4), (column, row, slice) to RAS+ millimetres.
    """

    slices: Sequence[Slice]
    affine: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the volume."""
        return (*self.slices[0].size, len(self.slices))


def read_series(folder: Path) -> Volume:
    """Read a DICOM series, rescaled slice by slice as its headers say.

    Returns:
        (column, row, slice), and the affine.

    Raises:
        DataError: it is no whole series, see `find_series`, or a file is damaged.
    """
    series = find_series(folder)
    planes = [_pixels(each.path) for each in series.slices]
    return Volume(np.stack(planes, axis=-1), series.affine)


def find_series(folder: Path) -> Series:
    """The slices of a DICOM series by their headers alone.

    Raises:
        DataError: there is none or more than one, two slices lie at one place, one is missing or
            turned, they are pictures, or SimpleITK is not there.
    """
    files = slice_files(folder)
    if not files:
        raise DataError(f"{folder}: no slices in it, neither DICOM nor PNG.")
    if any(map(is_picture, files)):
        raise DataError(
            f"{folder}: its pictures say not where its voxels lie; give the DICOM series, or one "
            "file with an affine."
        )
    slices = [_header(path) for path in files]
    _check_one_series(folder, slices)
    if len(slices) < 2:
        raise DataError(f"{folder}: a volume has several slices, {files[0].name} is alone.")
    first = slices[0]
    for other in slices[1:]:
        if other.size != first.size or not np.allclose(other.axes, first.axes, atol=_ALIKE):
            raise DataError(
                f"{folder}: {other.path.name} has other axes, pixels or size than "
                f"{first.path.name}: not of one volume. Give each a folder of its own."
            )
    placed = sorted(slices, key=lambda each: float(each.position @ first.normal))
    return Series(placed, _affine(folder, placed))


def _reader(path: Path) -> Any:
    reader = simple_itk(path).ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader


def _header(path: Path) -> Slice:
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise unreadable(path, itk_reason(error)) from None
    columns, rows, *frames = reader.GetSize()
    if frames not in ([], [1]) or reader.GetNumberOfComponents() != 1:
        raise DataError(f"{path}: holds several frames or colours, not one slice of intensities.")
    numbers = partial(_numbers, reader, path)
    position, cosines, (row_mm, column_mm) = (
        numbers(_POSITION, 3), numbers(_ORIENTATION, 6), numbers(_SPACING, 2),
    )  # fmt: skip
    axes = cosines.reshape(2, 3).T * (column_mm, row_mm)
    series = reader.GetMetaData(_SERIES).strip("\0 ") if reader.HasMetaDataKey(_SERIES) else ""
    if np.linalg.norm(np.cross(axes[:, 0], axes[:, 1])) < 1e-9:
        raise DataError(f"{path}: its rows and columns span no plane; the header is damaged.")
    return Slice(path, series, (columns, rows), position, axes)


def _numbers(reader: Any, path: Path, tag: str, count: int) -> NDArray[np.float64]:
    text = reader.GetMetaData(tag) if reader.HasMetaDataKey(tag) else ""
    try:
        values = np.array([float(part) for part in text.strip("\0 ").split("\\")])
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        raise DataError(
            f"{path}: tag ({tag.replace('|', ',')}): expected {count} numbers that place the "
            f"slice, got {text!r}."
        )
    return values


def _check_one_series(folder: Path, slices: Sequence[Slice]) -> None:
    """Refuse several series; where each file has a number of its own, they say nothing."""
    counts = Counter(each.series for each in slices)
    if 1 < len(counts) < len(slices):
        told = ", ".join(f"{uid or 'without a number'} ({n} files)" for uid, n in counts.items())
        raise DataError(f"{folder}: holds {len(counts)} series: {told}. Give each its own folder.")


def _affine(folder: Path, placed: Sequence[Slice]) -> NDArray[np.float64]:
    """Of slices in the order of their places.

    Raises:
        DataError: two lie at one place, one is missing or beside its place, or they are sheared.
    """
    first, last = placed[0], placed[-1]
    positions = np.array([each.position for each in placed])
    gaps = np.diff(positions @ first.normal)
    usual = float(np.median(gaps))
    for one, other, gap in zip(placed, placed[1:], gaps, strict=False):
        pair = f"{folder}: {one.path.name} and {other.path.name}"
        if gap < 1e-3:
            raise DataError(
                f"{pair} lie at the same place: twice the same slice, or two volumes (echoes, "
                "phases) in one folder."
            )
        if abs(gap - usual) > _UNEVEN * usual:
            raise DataError(
                f"{pair} lie {gap:.4g} mm apart, most slices {usual:.4g} mm: is one missing?"
            )
    step = (last.position - first.position) / (len(placed) - 1)
    beside = positions - (first.position + np.arange(len(placed))[:, None] * step)
    if (far := np.linalg.norm(beside, axis=1)).max() > _UNEVEN * usual:
        name = placed[int(far.argmax())].path.name
        raise DataError(f"{folder}: {name} lies {far.max():.4g} mm beside the line of the others.")
    affine = np.eye(4)
    affine[:3, :2], affine[:3, 2], affine[:3, 3] = first.axes, step, first.position
    check_angles(affine, folder)
    return LPS_TO_RAS @ affine


def _pixels(path: Path) -> NDArray[Any]:
    """(column, row) of one slice."""
    try:
        image = _reader(path).Execute()
    except RuntimeError as error:
        raise unreadable(path, itk_reason(error)) from None
    array: NDArray[Any] = simple_itk(path).GetArrayFromImage(image)
    return array.reshape(array.shape[-2:]).T
