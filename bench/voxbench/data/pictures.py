"""Label maps as pictures, one a slice of a DICOM series."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.data.dicom import find_series
from voxbench.data.nifti import Volume, unreadable
from voxbench.data.volume_files import slice_files, slice_stem
from voxbench.errors import DataError


def read_pictures(folder: Path, beside: Path | None) -> Volume:
    """Read label values from a picture a slice, exactly as they are stored.

    Pictures and the slices that they were drawn on have the same names, or follow one another in
    the order of both's names; that the slices may lie the other way round changes nothing.

    Args:
        folder: of the pictures, grey and of 8 or 16 bits, or of one bit, whose white is 255.
        beside: the folder of the DICOM series.

    Raises:
        DataError: a picture has colours, another size, or no partner; or there is no series.
    """
    if beside is None or not beside.is_dir():
        raise DataError(f"{folder}: pictures of slices need the DICOM series they were drawn on.")
    series, pictures, slices = find_series(beside), slice_files(folder), slice_files(beside)
    if len(pictures) != len(slices):
        raise DataError(f"{folder}: {len(pictures)} pictures of {len(slices)} slices.")
    names, others = ({*map(slice_stem, files)} for files in (pictures, slices))
    if names & others and (lone := sorted(names ^ others)):
        raise DataError(f"{folder}: {', '.join(lone[:4])}: a picture or a slice without the other.")
    drawn = {on: _grey(path, series.shape[:2]) for on, path in zip(slices, pictures, strict=True)}
    return Volume(np.stack([drawn[each.path] for each in series.slices], axis=-1), series.affine)


def _grey(path: Path, size: tuple[int, int]) -> NDArray[Any]:
    """(column, row) of one picture."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            mode, array = picture.mode, np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable(path, error) from error
    if array.ndim != 2:
        raise DataError(f"{path}: a picture of labels is grey, this one is {mode}; convert it.")
    if array.T.shape != size:
        raise DataError(f"{path}: {array.T.shape} pixels, its slice has {size}.")
    return (array * np.uint8(255) if array.dtype == bool else array).T
