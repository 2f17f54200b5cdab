"""Tables that lie beside the data: their columns, and which case each of their names means."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from voxbench.errors import DataError

_USUAL = ("patients", "participants", "subjects", "meta", "metadata")
_SPREADSHEETS = (".xlsx", ".xls", ".ods")
NOTHING = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "?", "unknown"})
"""What an empty cell holds, in lower case."""
_ENDING = re.compile(r"(?:_0000)?\.(?:nii|nrrd|mha|mhd|npz|img|hdr)(?:\.gz)?$")
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


class ShiftedNumbersError(DataError):
    """A table numbers the cases from another start than their ids do."""


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
        raise DataError(f"{path}: can't be read as CSV in UTF-8 ({error}); save it so.") from None
    titles = [title.strip() for title in header]
    if repeated := [title for title, count in Counter(titles).items() if count > 1 and title]:
        raise DataError(f"{path}: two columns are called {repeated[0]!r}; rename one.")
    columns = {
        title: [_cell(row[index]) if index < len(row) else "" for row in rows]
        for index, title in enumerate(titles)
        if title
    }
    return CaseTable(path, columns)


def match_names(
    names: Iterable[str], cases: Sequence[str], *, numbers: bool = True
) -> dict[str, list[str]]:
    """Case → the names that mean it, by the strictest rule by which most names mean one.

    Rules, each looser than the one before: as it is; without folder, ending of an image file (and
    number of its channel) and capitals; without the zeros that pad a number; by the number alone,
    where one side has nothing else and the other the same word everywhere. A rule by which two
    cases are called alike is none.

    Args:
        names: of a table, perhaps repeated.
        cases: ids.
        numbers: use the last rule.
    """
    given = [*dict.fromkeys(filter(None, names))]
    found: dict[str, list[str]] = {}
    rules: list[Callable[[str], str]] = [str, _bare, _unpadded]
    for rule in (*rules, *([_number(given, cases)] if numbers else [])):
        known = {rule(case): case for case in cases}
        if len(known) < len(cases):
            continue
        matched: dict[str, list[str]] = {}
        for name in given:
            if (case := known.get(rule(name))) is not None:
                matched.setdefault(case, []).append(name)
        if sum(map(len, matched.values())) > sum(map(len, found.values())):
            found = matched
    return found


def refuse_shifted(origin: str, names: Iterable[str], cases: Sequence[str]) -> None:
    """Refuse numbers that lie one beside those of the cases, so that each means its neighbour.

    They do so where numbers alone mean cases and all are one further, or all one less; or where
    they count from 1 and the cases from 0, and there are further ones.

    Args:
        origin: of the names, for the error.
        names: all that a table, or a set of lists, calls cases by.
        cases: ids.

    Raises:
        ShiftedNumbersError: it is so.
    """
    named = {*filter(None, names)}
    bare = [name for name in named if _unpadded(name).isdecimal()] or [*named]
    rule = _number(bare, cases)
    told, here = ({rule(name) for name in side} for side in (bare, cases))
    if not (told & here and all(map(str.isdecimal, told | here))):
        return
    numbers, ids = {*map(int, told)}, {*map(int, here)}
    further, less = ({number + by for number in ids} for by in (1, -1))
    from_one = (min(ids), min(numbers)) == (0, 1) and numbers > further
    if from_one or numbers in (further, less):
        raise ShiftedNumbersError(
            f"{origin}: numbers the cases from {min(numbers)} to {max(numbers)}, but their ids go "
            f"from {min(ids)} to {max(ids)} ({some(cases)}): each would be taken for its "
            "neighbour. Write the ids there, as the files of the cases are called."
        )


def match_starts(names: Iterable[str], cases: Sequence[str]) -> dict[str, str]:
    """Case → the longest name that it begins with: `sub-1`, or `01`, of `sub-01_ses-2`."""
    starts: dict[str, str] = {}
    for name in filter(None, names):
        plain = _unpadded(name)
        starts |= {plain: name, f"sub-{plain}": name}
    found = {}
    for case in cases:
        plain = _unpadded(case)
        ends = [len(plain), *(at.start() for at in reversed([*re.finditer(r"[\W_]", plain)]))]
        if start := next((plain[:end] for end in ends if plain[:end] in starts), None):
            found[case] = starts[start]
    return found


def some(names: Iterable[str]) -> str:
    """The first three of some names, and how many there are if there are more."""
    listed = sorted(set(names))
    return (", ".join(listed[:3]) + (f", … ({len(listed)})" if listed[3:] else "")) or "none"


def plain(text: str) -> str:
    """A header in small letters and digits alone."""
    return re.sub(r"[\W_]", "", text.lower())


def _cell(text: str) -> str:
    return "" if text.strip().lower() in NOTHING else text.strip()


def _bare(name: str) -> str:
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name.strip()))[-1]
    return _ENDING.sub("", last.lower())


def _unpadded(name: str) -> str:
    plain = re.sub(r"^(\d+)\.0$", r"\1", _bare(name))  # as a column of numbers with gaps is saved
    return re.sub(r"[0-9]+", lambda number: str(int(number[0])), plain)


def _number(*sides: Sequence[str]) -> Callable[[str], str]:
    """The number alone; nothing looser than before where words tell names apart."""
    words = [{re.sub(r"[0-9]+", "#", _unpadded(name)) for name in side} for side in sides]
    if {"#"} in words and all([word.count("#") for word in side] == [1] for side in words):
        return lambda name: re.sub(r"[^0-9]", "", _unpadded(name))
    return _unpadded
