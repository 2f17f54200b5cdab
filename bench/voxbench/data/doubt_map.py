"""Maps of uncertainty of test cases, kept beside predictions where these are kept."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxbench.data.label_map import write_label_map
from voxbench.records.predictions import prediction_path

_MOST = 255


def doubt_path(root: Path, key: str, measure: str, case: str) -> Path:
    """`ROOT/predictions/KEY-MEASURE/CASE.nii.gz`, KEY of the record of uncertainty.

    uint8, on the grid of the case's reference file: 255 is the most that a measure can be.
    """
    return prediction_path(root, f"{key}-{measure}", case)


def keep_doubt(
    path: Path, measure: str, found: NDArray[np.float32], classes: int, affine: NDArray[np.float64]
) -> None:
    """Write a map (d, h, w) of so many classes, in 255ths of what it can be.

    Entropies are at most log(classes), and 1 − the largest probability at most 1 − 1/classes.
    """
    most = 1 - 1 / classes if measure == "one_minus_max" else np.log(classes)
    write_label_map(path, np.rint(np.clip(_MOST * found / most, 0, _MOST)), affine)
