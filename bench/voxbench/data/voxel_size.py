"""The voxel size that a network sees, before anything is prepared."""

from voxbench.data.dataset import Dataset
from voxbench.data.fingerprint import fingerprint
from voxbench.data.spatial import thick_axis
from voxbench.design.kernels import Spacing, uneven
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe


def voxel_size(dataset: Dataset, preprocessing: Preprocessing) -> Spacing:
    """In mm along the prepared axes: that of the grid, else the median of all training images.

    Raises:
        DataError: the header of an image can't be read.
    """
    return preprocessing.spacing_mm or fingerprint(dataset, preprocessing.axes).median_spacing


def kernel_spacing(
    dataset: Dataset, preprocessing: Preprocessing, schedule: Recipe | Pretraining
) -> Spacing | None:
    """The voxel size that decides a network's kernels; None where they are cubes.

    Raises:
        DataError: the header of an image can't be read.
    """
    return uneven(voxel_size(dataset, preprocessing)) if schedule.anisotropic else None


def across_slices(dataset: Dataset, preprocessing: Preprocessing) -> int | None:
    """The axis across thick slices; None where there are none.

    Raises:
        DataError: the header of an image can't be read.
    """
    return thick_axis(voxel_size(dataset, preprocessing))
