"""The split that a data set was published with, as far as it lies beside the data.

The first of these that there is:

    folders            imagesTs/labelsTs and imagesVa/labelsVa beside imagesTr; training/, testing/
    tables             a column `split` (set, subset, partition) of train, val and test in one of
                       `case_table.TABLES`, such as TotalSegmentator's meta.csv
    splits_final.json  nnU-Net's folds, of which the first is taken; beside folders it says which
                       of the training cases validate

What is tested on is the last part that has labels: the validation part, or nnU-Net's `val`, where
there is no test part.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from voxbench.api import Part
from voxbench.data.case_table import TABLES, match_names, read_table, some
from voxbench.errors import DataError

OWN = 'Correct it, or say split = "own", which parts the cases by patient.'
_COLUMN = re.compile(r"(?:dataset|data)?(?:split|set|subset|partition)")
_FOLD: Mapping[str, Part] = {"train": "train", "val": "validation"}
_PARTS: Mapping[str, Part] = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "va", "dev", "tuning"), "validation"),
    **dict.fromkeys(("test", "testing", "ts", "te"), "test"),
}


class PublishedSplit(NamedTuple):
    """A split that was found.

    Attributes:
        part_of: case → train, validation or test; cases that it leaves out are not in it.
        origin: where it was found.
    """

    part_of: dict[str, Part]
    origin: str


def part_named(word: str) -> Part | None:
    """The part that a word means, such as `training`, `Ts` or `val`; None where it means none."""
    return _PARTS.get(word.lower())


def find_split(root: Path, placed: Mapping[Part, Sequence[str]]) -> PublishedSplit | None:
    """The split of a folder; None where none was published.

    Args:
        root: folder of the data.
        placed: ids of the cases by the part that their folder names; "train" where it names none.

    Raises:
        DataError: a split can't be read, or names none of the cases.
    """
    train = placed.get("train", ())
    fold = _first_fold(root / "splits_final.json", train)
    if not placed.keys() - {"train"}:
        return next(_columns(root, train), fold)
    part_of: dict[str, Part] = {case: part for part in placed for case in placed[part]}
    if fold and "validation" not in placed:
        part_of |= fold.part_of
        return PublishedSplit(part_of, f"its folders, and {fold.origin} of what they train on")
    return PublishedSplit(part_of, "its folders")


def _columns(root: Path, cases: Sequence[str]) -> Iterator[PublishedSplit]:
    """Splits by a column of a table; columns without a word for a part are something else."""
    for name in TABLES:
        if not (root / name).is_file():
            continue
        table = read_table(root / name)
        column = table.column(_COLUMN)
        if column is None:
            continue
        cells = [cell.lower() for cell in table.columns[column]]
        if not any(cell in _PARTS for cell in cells):
            continue
        origin = f"column {column} of {name}"
        if strange := {cell for cell in cells if cell and cell not in _PARTS}:
            raise DataError(f"{root}: {origin}: {some(strange)} names no part. {OWN}")
        rows = table.rows_of(cases, apart=column)
        found = {case: {_PARTS[cells[row]] for row in rows[case] if cells[row]} for case in rows}
        if double := [case for case, parts in found.items() if len(parts) > 1]:
            raise DataError(f"{root}: {origin} has {some(double)} in two parts. {OWN}")
        part_of = {case: next(iter(parts)) for case, parts in found.items() if parts}
        yield _checked(root, PublishedSplit(part_of, origin), cases)


def _first_fold(path: Path, cases: Sequence[str]) -> PublishedSplit | None:
    """The first fold of nnU-Net's file, if it is there."""
    if not path.is_file():
        return None
    origin = f"the first fold of {path.name}"
    try:
        fold = json.loads(path.read_text(encoding="utf-8-sig"))[0]
        named = {part: [str(name) for name in fold[key]] for key, part in _FOLD.items()}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path}: no splits of nnU-Net ({error!r}). {OWN}") from None
    part_of: dict[str, Part] = {}
    for part, names in named.items():
        matched = match_names(names, cases)
        if double := [case for case in matched if case in part_of]:
            raise DataError(f"{path.parent}: {origin} has {some(double)} in two parts. {OWN}")
        part_of |= dict.fromkeys(matched, part)
    return _checked(path.parent, PublishedSplit(part_of, origin), cases)


def _checked(root: Path, found: PublishedSplit, cases: Sequence[str]) -> PublishedSplit:
    """A split that names some of the cases."""
    if not found.part_of:
        raise DataError(f"{root}: {found.origin} names none of the cases {some(cases)}. {OWN}")
    return found
