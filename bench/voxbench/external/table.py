"""CSV files: a header, and rows as wide as it."""

import csv
from collections.abc import Iterator
from pathlib import Path

from voxbench.errors import DataError, bare


def read_header(path: Path) -> list[str]:
    """The names of the columns.

    Raises:
        DataError: the file can't be read, or a name is missing or there twice.
    """
    names = next(_lines(path), [])
    if len(names) < 2:
        raise DataError(f"{path}: no header with at least two columns; is it comma-separated?")
    doubled = sorted({name for name in names if names.count(name) > 1 or not name})
    if doubled:
        raise DataError(f"{path}: column name {doubled[0]!r} is there twice or empty.")
    return names


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values of each row; empty lines are left out.

    Raises:
        DataError: a row is not as wide as the header.
    """
    names = read_header(path)
    for number, line in enumerate(_lines(path), start=1):
        if number == 1 or not line:
            continue
        if len(line) != len(names):
            raise DataError(
                f"{path}, line {number}: {len(line)} values under {len(names)} columns."
            )
        yield number, dict(zip(names, line, strict=True))


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line in csv.reader(file, strict=True):
                yield [value.strip() for value in line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read as CSV ({bare(error)}).") from None
