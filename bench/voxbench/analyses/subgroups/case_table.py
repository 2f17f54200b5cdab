"""What is known of patients beside their scores: scanner, site, sex, age, from a CSV."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voxbench.errors import SpecError, bare, unknown

_IDS = ("patient", "case")
_CATEGORIES = 6  # distinct numbers up to which a column is taken as categories
_PARTS = 3

CaseTable = Mapping[str, Mapping[str, str]]


def read_case_table(path: Path) -> CaseTable:
    """Patient or case → column → value, from a CSV with a column `patient` (or `case`).

    Raises:
        SpecError: the file can't be read, lacks that column, or gives an id two rows that differ.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{path}: can't be read as CSV ({bare(error)}).") from None
    name = next((n for n in _IDS if rows and n in rows[0]), None)
    if name is None:
        raise SpecError(f"{path}: no column 'patient' or 'case'; add one with the patients' names.")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        own = {k: (v or "").strip() for k, v in row.items() if k and k not in _IDS}
        if found.setdefault(row[name], own) != own:
            raise SpecError(f"{path}: {name} {row[name]!r} has two rows that differ; keep one.")
    return found


def values_by_patient(table: CaseTable, column: str, cases: Mapping[str, str]) -> dict[str, str]:
    """Patient → value of a column.

    Args:
        table: by patient or by case.
        column: its name.
        cases: case → patient.

    Raises:
        SpecError: there is no such column, or the cases of a patient differ in it.
    """
    known = {name for row in table.values() for name in row}
    if column not in known:
        raise SpecError(unknown("column", column, known))
    found: dict[str, str] = {}
    for name, row in table.items():
        patient, value = cases.get(name, name), row.get(column, "")
        if found.setdefault(patient, value) != value:
            raise SpecError(
                f"patient {patient!r} has cases with {column} {found[patient]!r} and {value!r}: "
                "a patient can be in one group only."
            )
    return found


def group_labels(values: Sequence[str]) -> list[str]:
    """The group of each value: itself, or the third of the numbers that it falls into.

    Numbers are cut where a column has more than 6 different ones; "" stays "".
    """
    numbers = [_number(value) for value in values]
    given = np.array([n for n in numbers if not math.isnan(n)])
    texts = sum(bool(value) for value in values)
    if len(given) < texts or len(set(given)) <= _CATEGORIES:
        return list(values)
    edges = np.quantile(given, [0, 1 / 3, 2 / 3, 1])
    names = [f"{edges[i]:g} to {edges[i + 1]:g}" for i in range(_PARTS)]
    return ["" if math.isnan(n) else names[np.searchsorted(edges[1:3], n)] for n in numbers]


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
