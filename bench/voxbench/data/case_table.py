"""Tables that lie beside the data: their columns, and which rows are about which case."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from voxbench.data.case_names import match_names, match_starts, refuse_shifted
from voxbench.errors import DataError, bare

_USUAL = ("patients", "participants", "subjects", "meta", "metadata")
_SPREADSHEETS = (".xlsx", ".xls", ".ods")
NOTHING = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "?", "unknown"})
"""What an empty cell holds, in lower case."""
_CASE = re.compile(
    r"(?:nnunet)?(?:case|image|img|file|scan|volume|vol|series)(?:id|name|file|path|no|nr|number)?"
    r"|id|name|path|key|identifier"
)
PERSON = re.compile(
    r"(?:anon|anonymi[sz]ed|deidentified|study|unique)?"
    r"(?:patient|subject|subj|participant|person|individual|proband|pt)s?"
    r"(?:id|identifier|no|nr|num|number|code|key|name|uid|label)?|pid|mrn|externalcode"
)
"""How a column of persons is called, in plain letters and digits."""
_FOLD = re.compile(r"(?:cv|k)?folds?(?:id|no|nr|num|number|index)?")
_NUMBER = re.compile(r"\d+(?:\.0)?")  # as a column of numbers with gaps is saved
_FEWEST_FOLDS = 2


class CaseTable(NamedTuple):
    """A table in CSV or TSV.

    Attributes:
        path: of the file.
        columns: header → the cells below it, as many as there are rows; "" where there is nothing.
    """

    path: Path
    columns: dict[str, list[str]]

    def column(self, header: re.Pattern[str]) -> str | None:
        """The first column whose header, in plain letters and digits, matches."""
        return next((title for title in self.columns if header.fullmatch(plain(title))), None)

    def rows_of(self, cases: Sequence[str], apart: str) -> dict[str, list[int]]:
        """Case → its rows, by the column that names most cases.

        A column that is called as such, else the first, is tried with all rules of `match_names`;
        the others without that of bare numbers, which an age or a year would match.

        Args:
            cases: ids.
            apart: a column that says something else.

        Raises:
            ShiftedNumbersError: that column numbers the cases one further.
        """
        titles = [title for title in self.columns if title != apart]
        likely = [title for title in titles if _CASE.fullmatch(plain(title))] or titles[:1]
        naming, found = "", dict[str, list[str]]()
        for title in (*likely, *titles):
            matched = match_names(self.columns[title], cases, numbers=title in likely)
            if len(matched) > len(found):
                naming, found = title, matched
        cells = self.columns.get(naming, [])
        refuse_shifted(f"{self.path}: column {naming}", cells, cases)
        return {
            case: [row for row, cell in enumerate(cells) if cell in names]
            for case, names in found.items()
        }

    def rows_begun(self, title: str, cases: Sequence[str]) -> dict[str, list[int]]:
        """Case → the rows whose cell in a column it begins with, by `match_starts`."""
        cells = self.columns[title]
        return {
            case: [row for row, cell in enumerate(cells) if cell == start]
            for case, start in match_starts(cells, cases).items()
        }

    def cells_of(self, title: str, cases: Sequence[str]) -> dict[str, set[str]]:
        """Case → what its rows have in a column, in lower case, by case or by person.

        Raises:
            ShiftedNumbersError: as of `rows_of`.
        """
        cells = [cell.lower() for cell in self.columns[title]]
        rows = self.rows_of(cases, apart=title)
        if person := self.column(PERSON):  # which sessions begin with
            rows = max(rows, self.rows_begun(person, cases), key=len)
        return {case: {cells[row] for row in rows[case]} - {""} for case in rows}


class Tables(NamedTuple):
    """The files beside the data that may be tables about its cases.

    Attributes:
        usual: called as such tables are, in whatever capitals; the first in rank first.
        others: the other CSV and TSV files.
        unread: spreadsheets.
    """

    usual: list[Path]
    others: list[Path]
    unread: list[Path]


def tables_beside(root: Path) -> Tables:
    """The tables of a folder."""
    files = sorted(root.glob("[!.]*"))
    tables = [path for path in files if path.suffix.lower() in (".csv", ".tsv")]
    return Tables(
        [path for name in _USUAL for path in tables if path.stem.lower() == name],
        [path for path in tables if path.stem.lower() not in _USUAL],
        [path for path in files if path.suffix.lower() in _SPREADSHEETS],
    )


def read_table(path: Path) -> CaseTable:
    """Read a table whose first row is its header; cells that a short row lacks are empty.

    Raises:
        DataError: it can't be read, or two columns have one name.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        delimiter = max(",;\t", key=(lines or [""])[0].count)
        header, *rows = [row for row in csv.reader(lines, delimiter=delimiter) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: can't be read as CSV in UTF-8 ({bare(error)}); save it so."
        ) from None
    titles = [title.strip() for title in header]
    if repeated := [title for title, count in Counter(titles).items() if count > 1 and title]:
        raise DataError(f"{path}: two columns are called {repeated[0]!r}; rename one.")
    columns = {
        title: [_cell(row[index]) if index < len(row) else "" for row in rows]
        for index, title in enumerate(titles)
        if title
    }
    return CaseTable(path, columns)


def fold_column(table: CaseTable) -> tuple[str, dict[str, int]] | None:
    """The column that numbers the folds of a cross-validation, and the fold of each such cell.

    Folds count from 0, whatever the table counts from; one number alone makes none.
    """
    if (column := table.column(_FOLD)) is None:
        return None
    numbered = {cell: float(cell) for cell in table.columns[column] if _NUMBER.fullmatch(cell)}
    order = sorted({*numbered.values()})
    if len(order) < _FEWEST_FOLDS:
        return None
    return column, {cell: order.index(number) for cell, number in numbered.items()}


def plain(text: str) -> str:
    """A header in small letters and digits alone."""
    return re.sub(r"[\W_]", "", text.lower())


def _cell(text: str) -> str:
    return "" if text.strip().lower() in NOTHING else text.strip()
