"""The split that a data set was published with, as far as it lies beside the data.

The first of these that there is:

    folders            imagesTs/labelsTs and imagesVa/labelsVa beside imagesTr; training/, testing/
    tables             a column `split` (set, subset, partition) of train, val and test in a CSV or
                       TSV file, such as TotalSegmentator's meta.csv; or a column `fold` of numbers,
                       of which the first validates; its rows may be persons, whose names cases
                       begin with (BIDS)
    splits_final.json  nnU-Net's folds, of which the first is taken; beside folders it says which
                       of the training cases validate
    lists              train, val and test in another JSON file (MONAI's data lists, split.json), or
                       in train.txt, val.txt and test.txt, a case a line

What is tested on is the last part that has labels: the validation part, or nnU-Net's `val`, where
there is no test part.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.api import Part
from voxbench.data.case_names import ShiftedNumbersError, match_names, refuse_shifted, some
from voxbench.data.case_table import CaseTable, fold_column, read_table, tables_beside
from voxbench.errors import DataError, bare

OWN = 'Correct it, or say split = "own", which parts the cases by patient.'
_COLUMN = re.compile(r"(?:dataset|data)?(?:split|set|subset|partition)")
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
    listed = next(_listed(root, train), None)
    if not placed.keys() - {"train"}:
        return next(_columns(root, train), listed)
    part_of: dict[str, Part] = {case: part for part in placed for case in placed[part]}
    if listed and "validation" not in placed:
        part_of |= listed.part_of
        return PublishedSplit(part_of, f"its folders, and {listed.origin} of what they train on")
    return PublishedSplit(part_of, "its folders")


def json_of(path: Path) -> Any:
    """The content of a JSON file; None where it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None


def _columns(root: Path, cases: Sequence[str]) -> Iterator[PublishedSplit]:
    """Splits by a column of a table; columns without a word for a part are something else."""
    tables = tables_beside(root)
    for path in (*tables.usual, *tables.others):
        usual = path in tables.usual
        try:
            found = _column(root, path, cases)
        except ShiftedNumbersError:
            raise
        except DataError:
            if usual:
                raise
            continue  # another table may be about anything
        if found and (usual or found.part_of):
            yield _checked(root, found, cases)


def _column(root: Path, path: Path, cases: Sequence[str]) -> PublishedSplit | None:
    table = read_table(path)
    if (meant := _by_word(table) or _by_fold(table)) is None:
        return None
    column, parts = meant
    origin = f"column {column} of {path.name}"
    if strange := {cell.lower() for cell in table.columns[column]} - {"", *parts}:
        raise DataError(f"{root}: {origin}: {some(strange)} names no part. {OWN}")
    cells = table.cells_of(column, cases)
    found = {case: {parts[cell] for cell in cells[case]} for case in cells}
    if double := [case for case, parts_of in found.items() if len(parts_of) > 1]:
        raise DataError(f"{root}: {origin} has {some(double)} in two parts. {OWN}")
    part_of = {case: next(iter(parts_of)) for case, parts_of in found.items() if parts_of}
    return PublishedSplit(part_of, origin)


def _by_word(table: CaseTable) -> tuple[str, Mapping[str, Part]] | None:
    """A column that says train, val or test, and what its cells mean, in lower case."""
    column = table.column(_COLUMN)
    if column is None or not any(cell.lower() in _PARTS for cell in table.columns[column]):
        return None
    return column, _PARTS


def _by_fold(table: CaseTable) -> tuple[str, Mapping[str, Part]] | None:
    """A column of numbered folds, of which the first validates, and what its cells mean."""
    if (found := fold_column(table)) is None:
        return None
    validates: dict[bool, Part] = {True: "validation", False: "train"}
    return found[0], {**_PARTS, **{cell: validates[fold == 0] for cell, fold in found[1].items()}}


def _listed(root: Path, cases: Sequence[str]) -> Iterator[PublishedSplit]:
    """Splits by lists of names; files that list no parts, or other cases, are something else."""
    if (old := root / "splits_final.pkl").is_file():
        raise DataError(f"{old}: nnU-Net's first version; write it as splits_final.json. {OWN}")
    final = root / "splits_final.json"
    if final.is_file():
        if not (named := _parts_of(final)):
            raise DataError(f"{final}: no splits of nnU-Net. {OWN}")
        origin = f"the first fold of {final.name}"
        yield _checked(root, _by_lists(root, origin, named, cases), cases)
    for path in sorted(root.glob("[!.]*.json")):
        if path != final and len(named := _parts_of(path)) > 1:
            found = _by_lists(root, path.name, named, cases)
            if len({*found.part_of.values()}) > 1:
                yield found
            elif "split" in path.name.lower():
                yield _checked(root, found, cases)
    texts = {path: part_named(path.stem) for path in sorted(root.glob("[!.]*.txt"))}
    lists = {part: path for path, part in texts.items() if part}
    if len(lists) > 1:
        origin = ", ".join(path.name for path in lists.values())
        named = {part: lines_of(path) for part, path in lists.items()}
        yield _checked(root, _by_lists(root, origin, named, cases), cases)


def _parts_of(path: Path) -> dict[Part, list[str]]:
    """The names that a JSON file lists by part, of the first fold where it has folds."""
    content = json_of(path)
    if isinstance(content, list) and content:
        content = content[0]
    found: dict[Part, list[str]] = {}
    for key, listed in content.items() if isinstance(content, dict) else ():
        if (part := part_named(str(key))) and isinstance(listed, list):
            named = [
                one.get("label") or one.get("image") if isinstance(one, dict) else one
                for one in listed
            ]
            found[part] = [name for name in named if isinstance(name, str)]
    return found


def lines_of(path: Path) -> list[str]:
    """The lines of a list.

    Raises:
        DataError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: can't be read ({bare(error)}). {OWN}") from None


def _by_lists(
    root: Path, origin: str, named: Mapping[Part, Sequence[str]], cases: Sequence[str]
) -> PublishedSplit:
    refuse_shifted(f"{root}: {origin}", chain.from_iterable(named.values()), cases)
    part_of: dict[str, Part] = {}
    for part, names in named.items():
        matched = match_names(names, cases)
        if double := [case for case in matched if case in part_of]:
            raise DataError(f"{root}: {origin} has {some(double)} in two parts. {OWN}")
        part_of |= dict.fromkeys(matched, part)
    return PublishedSplit(part_of, origin)


def _checked(root: Path, found: PublishedSplit, cases: Sequence[str]) -> PublishedSplit:
    """A split that names some of the cases."""
    if not found.part_of:
        raise DataError(f"{root}: {found.origin} names none of the cases {some(cases)}. {OWN}")
    return found
