"""Predicted label maps as they are kept: label values as in the data set, so that all tools agree.

`MARK` in the header's description says so; a file without it is an older one, of class indices.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from voxbench.data.label_map import label_values, read_label_map, write_label_map
from voxbench.data.nifti import Volume
from voxbench.errors import DataError

MARK = b"label values"


def write_prediction(
    path: Path, indices: NDArray[np.uint8], classes: Mapping[str, int], affine: NDArray[np.float64]
) -> None:
    """Write class indices (d, h, w) as the label values of a task's classes, in their order."""
    values = np.array([0, *classes.values()], np.uint16)
    write_label_map(path, values[indices], affine, MARK)


def read_prediction(path: Path, classes: Mapping[str, int]) -> Volume:
    """Read a kept prediction.

    Returns:
        (d, h, w) uint8 of class indices, and the affine.

    Raises:
        DataError: it can't be read, or holds what is no class.
    """
    found = read_label_map(path)
    marked = bytes(nibabel.load(path).header["descrip"]).startswith(MARK)
    try:
        return found._replace(array=class_indices(found.array, classes, marked=marked))
    except ValueError as error:
        raise DataError(f"{path}: {error}.") from None


def class_indices(
    labels: NDArray[Any], classes: Mapping[str, int], *, marked: bool
) -> NDArray[np.uint8]:
    """The class indices that a kept label map stands for.

    Args:
        labels: (d, h, w) as they are stored.
        classes: of the task, with their label values, in order.
        marked: whether they are label values.

    Raises:
        ValueError: it holds what is no class.
    """
    values = list(classes.values()) if marked else list(range(1, len(classes) + 1))
    if strange := [value for value in label_values(labels) if value not in (0, *values)]:
        raise ValueError(f"it holds {strange[0]}, the {len(classes)} classes are {values}")
    table = np.zeros(1 + max(values, default=0), np.uint8)
    table[values] = np.arange(1, len(values) + 1)
    indices: NDArray[np.uint8] = table[labels]
    return indices
