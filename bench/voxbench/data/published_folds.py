"""The folds that a data set was published with, as far as they lie beside the data.

The first of these that has as many as are asked for:

    tables             a column `fold` of numbers in a CSV or TSV file, whose rows may be persons; a
                       case that it calls test stays aside
    splits_final.json  nnU-Net's
    lists              the number `fold` of each case in MONAI's data lists, in JSON; or files
                       test_fold_0.txt, test_fold_1.txt, …, a case a line, whatever their names
                       begin with (SuPreM's five folds of pancreas: jhh_test_fold_0.txt)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from voxbench.data.case_names import ShiftedNumbersError, match_names, refuse_shifted, some
from voxbench.data.case_table import fold_column, read_table, tables_beside
from voxbench.data.published_split import OWN, json_of, lines_of, part_named
from voxbench.errors import DataError

_LIST = re.compile(r"(?:.*[_-])?test[_-]?fold[_-]?(\d+)", re.IGNORECASE)


class _Folds(NamedTuple):
    """Folds that were found.

    Attributes:
        origin: where.
        tested: the cases that each fold tests on.
        aside: the cases that none does, as it says.
    """

    origin: str
    tested: Sequence[Sequence[str]]
    aside: frozenset[str] = frozenset()


def published_folds(root: Path, cases: Sequence[str], of: int) -> Mapping[str, int] | None:
    """The fold of each case; None where nothing beside the data has any.

    Args:
        root: folder of the data.
        cases: ids of those that the folds divide.
        of: how many folds are asked for.

    Raises:
        DataError: there are folds of another number only, they don't test on every case once, or
            what has them can't be read.
    """
    everything = [*_columns(root, cases), *_final(root, cases), *_lists(root, cases)]
    found = next((folds for folds in everything if len(folds.tested) == of), None)
    if found is None:
        _refuse_others(root, everything, of)
        return None
    fold_of = {case: number for number, tested in enumerate(found.tested) for case in tested}
    wanted = {*cases} - found.aside
    if fold_of.keys() != wanted or len(fold_of) < sum(map(len, found.tested)):
        raise DataError(
            f"{root}: {found.origin}: its {of} folds don't test on each of the {len(wanted)} cases "
            f"once. {OWN}"
        )
    return fold_of


def _refuse_others(root: Path, published: Sequence[_Folds], of: int) -> None:
    """Refuse another number than that of published folds, whose first would be no part of it."""
    for folds in published:
        if (count := len(folds.tested)) > 1:
            raise DataError(
                f"{root}: {folds.origin} has {count} folds, not {of}; say folds = {count}, or "
                'split = "own", which deals patients out anew.'
            )


def _columns(root: Path, cases: Sequence[str]) -> Iterator[_Folds]:
    tables = tables_beside(root)
    for path in (*tables.usual, *tables.others):
        try:
            found = _column(root, path, cases)
        except ShiftedNumbersError:
            raise
        except DataError:
            if path in tables.usual:
                raise
            continue  # another table may be about anything
        if found and any(found.tested):
            yield found


def _column(root: Path, path: Path, cases: Sequence[str]) -> _Folds | None:
    table = read_table(path)
    if (meant := fold_column(table)) is None:
        return None
    column, number_of = meant
    origin = f"column {column} of {path.name}"
    cells = table.cells_of(column, cases)
    if double := [case for case in cells if len(cells[case]) > 1]:
        raise DataError(f"{root}: {origin} has {some(double)} in two folds. {OWN}")
    tested: list[list[str]] = [[] for _ in {*number_of.values()}]
    aside = set()
    for case, own in cells.items():
        for cell in own:
            if cell in number_of:
                tested[number_of[cell]].append(case)
            elif part_named(cell) == "test":
                aside.add(case)
    return _Folds(origin, tested, frozenset(aside))


def _final(root: Path, cases: Sequence[str]) -> Iterator[_Folds]:
    path = root / "splits_final.json"
    if not path.is_file():
        return
    try:
        named = [[str(name) for name in fold["val"]] for fold in json_of(path)]
    except (KeyError, TypeError):
        raise DataError(
            f"{path}: no folds of nnU-Net, each with the cases of its `val`. {OWN}"
        ) from None
    yield _named(root, path.name, named, cases)


def _lists(root: Path, cases: Sequence[str]) -> Iterator[_Folds]:
    for path in sorted(root.glob("[!.]*.json")):
        if numbered := _numbered(json_of(path)):
            yield _named(root, path.name, [numbered[number] for number in sorted(numbered)], cases)
    files = {
        int(match[1]): path
        for path in sorted(root.glob("[!.]*.txt"))
        if (match := _LIST.fullmatch(path.stem))
    }
    if files:
        named = [lines_of(files[number]) for number in sorted(files)]
        yield _named(root, ", ".join(path.name for path in files.values()), named, cases)


def _numbered(content: object) -> dict[int, list[str]]:
    """Fold → the names of its cases in a data list of MONAI."""
    listed = content.get("training") if isinstance(content, dict) else None
    found: dict[int, list[str]] = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("fold"), int):
            found.setdefault(one["fold"], []).append(str(one.get("label") or one.get("image")))
    return found


def _named(root: Path, origin: str, names: Sequence[Sequence[str]], cases: Sequence[str]) -> _Folds:
    refuse_shifted(f"{root}: {origin}", chain.from_iterable(names), cases)
    return _Folds(origin, [[*match_names(own, cases)] for own in names])
