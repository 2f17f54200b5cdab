"""Files as the Brain Imaging Data Structure names them: of which session, and what they hold."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from voxbench.errors import DataError, unknown
from voxbench.toolkit import stem_of

_NAME = re.compile(r"(?P<case>sub-[^_]+(?:_ses-[^_]+)?)_(?P<ending>.+)")
_MAP = re.compile(r"(?:.*_)?dseg")
_MASK = re.compile(r"(?:.*_)?(?:mask|\w*-manual)")
_STRUCTURE = re.compile(r"(?:.*_)?label-([^_]+)_.*")
_DERIVED, _SOURCES = "derivatives", "sourcedata"


class BidsFile(NamedTuple):
    """A volume.

    Attributes:
        case: subject and session, as `sub-01_ses-2`.
        ending: what it is called after them.
        path: of the file.
        derived: it is no raw datum.
    """

    case: str
    ending: str
    path: Path
    derived: bool


def bids_files(root: Path, pipeline: str | None) -> list[BidsFile]:
    """The volumes of a folder that count, sorted by path.

    Args:
        root: of the data set.
        pipeline: the only one whose derivatives count; None takes those of all.

    Raises:
        DataError: there is none, or none of the pipeline.
    """
    found = []
    for path in counting(root, "sub-*_*", pipeline):
        if name := _NAME.fullmatch(stem_of(path.name) or ""):
            derived = _DERIVED in path.relative_to(root).parts
            found.append(BidsFile(name["case"], name["ending"], path, derived))
    if not found:
        raise DataError(f"{root}: no file like sub-01/anat/sub-01_T1w.nii.gz.")
    if pipeline and not any(one.derived for one in found):
        known = [path.name for path in root.glob(f"{_DERIVED}/[!.]*/")]
        raise DataError(f"{root}: {unknown('pipeline', pipeline, known)}")
    return found


def counting(root: Path, pattern: str, pipeline: str | None) -> Iterator[Path]:
    """What is called so and is raw, or a derivative of the pipeline; no source data."""
    for path in sorted(root.rglob(pattern)):
        parts = path.relative_to(root).parts
        other = _DERIVED in parts and pipeline not in (None, *parts)
        if not other and _SOURCES not in parts:
            yield path


def is_map(ending: str) -> bool:
    """Whether it is that of a label map."""
    return bool(_MAP.fullmatch(ending))


def is_mask(ending: str) -> bool:
    """Whether it is that of the mask of a structure."""
    return bool(_MASK.fullmatch(ending))


def structure_of(ending: str) -> str:
    """The structure of a mask: its label where it says one, else the ending."""
    told = _STRUCTURE.fullmatch(ending)
    return told[1] if told else ending
