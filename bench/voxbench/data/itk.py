"""SimpleITK, which reads what nibabel does not, imported when it is needed."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from voxbench.errors import DataError

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def simple_itk(path: Path) -> Any:
    """The library, imported when it is needed.

    Raises:
        DataError: it is not there.
    """
    try:
        import SimpleITK
    except ImportError:
        raise DataError(
            f"{path}: NRRD, MHA and DICOM need SimpleITK: pip install 'voxbench[itk]'."
        ) from None
    return SimpleITK


def itk_reason(error: RuntimeError) -> ValueError:
    """What SimpleITK says at the end of its many lines."""
    return ValueError(re.sub(r"\s+", " ", str(error)).rpartition("ERROR: ")[2].strip())
