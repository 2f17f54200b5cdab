"""How large the training cases of a task are, by the headers of their images."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from voxbench.data.dataset import Dataset
from voxbench.data.image import read_extent, read_spacing, recall_grids
from voxbench.design.plan import Sizes, Spacing
from voxbench.errors import DataError


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """The sizes of the training cases, along the axes that networks see.

    Attributes:
        spacings: (case, axis) in mm.
        extents: (case, axis) in mm.
    """

    spacings: Sizes
    extents: Sizes

    @property
    def cases(self) -> int:
        """How many there are."""
        return len(self.spacings)

    @property
    def median_spacing(self) -> Spacing:
        """In mm."""
        a, b, c = (float(mm) for mm in np.median(self.spacings, axis=0))
        return a, b, c

    def shapes(self, spacing: Spacing | None) -> Sizes:
        """Voxels along each axis, (case, axis), on a grid; None is each case's own."""
        return np.round(self.extents / (self.spacings if spacing is None else spacing))


@cache
def fingerprint(dataset: Dataset, axes: str) -> Fingerprint:
    """That of all training cases of a task, whatever fraction of them a cell learns from.

    Validation and test cases are not looked at, nor is any label.

    Raises:
        DataError: the header of an image can't be read.
    """
    images = [case.images[0] for case in dataset.split.train]
    if not images:
        raise DataError(f"task {dataset.card.name!r}: has no training case to plan from.")
    recall_grids(images)
    return Fingerprint(
        np.array([read_spacing(path, axes) for path in images]),
        np.array([read_extent(path, axes) for path in images]),
    )
