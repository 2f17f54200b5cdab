"""What the paths of imported files tell: whose scores they are, and which file is which."""

import re
from collections.abc import Sequence
from pathlib import Path

from voxbench.errors import DataError

_PARTS = re.compile(r"validation(_raw)?|fold_(\d+|all)|crossval_results.*|postprocessed", re.I)
"""Folders of an nnU-Net training, which is named by the one above them."""


def arm_of(path: Path) -> str:
    """The arm of a `summary.json`: the folder that it lies in, above nnU-Net's own.

    Raises:
        DataError: there is none, or the file has a name of its own.
    """
    for folder in path.absolute().parent.parts[:0:-1]:
        if path.name == "summary.json" and not _PARTS.fullmatch(folder):
            return folder
    raise DataError(f"{path}: says no arm; give --arm NAME.")


def distinct_names(files: Sequence[Path]) -> list[str]:
    """A name for each file: its own, with as many folders before it as tell all apart.

    Raises:
        DataError: a file is there twice.
    """
    parts = [file.absolute().parts for file in files]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(own[-depth:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    doubled = next(file for file, own in zip(files, parts, strict=True) if parts.count(own) > 1)
    raise DataError(f"{doubled}: is there twice; name each file once.")
