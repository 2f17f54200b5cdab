"""Who is who in a folder: which of its cases show one person.

A table beside the data says so, the first of these that names persons:

    dataset.json        `patients`: {"case": "person"} or {"person": ["case", …]}; or a
                        field such as `patient` of the entries that it lists
    patients.json       the same, as the whole file
    about.json          `same_person`: [["case", "case"], …]
    patients, participants, subjects, meta or metadata (.csv, .tsv), then any other such table
                        a column of persons (patient_id, subject, PatientID, participant_id, …) and
                        one of cases; or rows of persons whose names cases begin with (BIDS)

Names need not be written as the cases are: see `case_names.match_names`. A table that names none
of the cases is refused; one with an unusual name may be about something else. Where there is none,
cases whose names look grouped (`grouping`) must be settled in writing; others count as a person
each.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.data.case_names import match_names, refuse_shifted, some
from voxbench.data.case_table import NOTHING, PERSON, CaseTable, plain, read_table, tables_beside
from voxbench.data.dataset_json import read_json
from voxbench.data.grouping import describe_groups, find_groups
from voxbench.errors import DataError
from voxbench.paths import expanded


class UnsettledPatientsError(DataError):
    """Names of cases look grouped, and nothing says whether the groups are patients."""


class Patients(NamedTuple):
    """Who is who.

    Attributes:
        of: case → person.
        told: in a sentence, where that was found.
    """

    of: dict[str, str]
    told: str


class _Table(NamedTuple):
    """What a table says.

    Attributes:
        name: of it.
        persons: case → persons, of the cases that it names.
        all_names: of what it knows persons of.
        strange: how many of them are no case.
    """

    name: str
    persons: dict[str, set[str]]
    all_names: list[str]
    strange: int


def find_patients(root: Path, cases: Sequence[str], said: str | None = None) -> Patients:
    """Who each case shows.

    Args:
        root: folder of the data.
        cases: their ids.
        said: by the sweep: "prefix", "case", a file (relative to `root`), or None.

    Raises:
        UnsettledPatientsError: nothing says who is who, and the names look grouped.
        DataError: a table can't be read, names no case or one case twice, or leaves out a case
            whose name goes with another's.
    """
    alone = {case: case for case in cases}
    if said == "case":
        return Patients(alone, "each case counts as one, as `patients` says")
    groups = find_groups(cases)
    if said == "prefix":
        if not groups:
            raise DataError(
                f'{root}: patients = "prefix", but no names of cases look grouped; say "case", or '
                "name a file that says who is who."
            )
        return Patients(groups, f"by prefix, as `patients` says: {describe_groups(groups)}")
    silent: list[str] = []
    table = next(_tables(root, cases, said, silent), None)
    if table:
        return _by_table(root, cases, table, groups)
    if groups:
        raise UnsettledPatientsError(
            f"{root}: {describe_groups(groups)}: are these patients? Nothing says who is who"
            f'{_because(silent)}. Say patients = "prefix" if they are, "case" if every case shows '
            "another person, or name a file with columns case and patient."
        )
    return Patients(alone, f"each case counts as one; nothing says who is who{_because(silent)}")


def _because(silent: Sequence[str]) -> str:
    return f" ({'; '.join(silent)})" if silent else ""


def _by_table(
    root: Path, cases: Sequence[str], table: _Table, groups: Mapping[str, str]
) -> Patients:
    """Check what a table says; a case that it doesn't name counts as a person of its own."""
    named = {case: persons for case, persons in table.persons.items() if persons}
    if not named:
        raise DataError(
            f"{root}: {table.name} names none of the cases: it has {some(table.all_names)}, the "
            f'cases are {some(cases)}. Correct its names, or say patients = "case" or "prefix".'
        )
    for case, persons in named.items():
        if len(persons) > 1:
            raise DataError(f"{root}: {table.name}: {case} is {some(persons)}; it can be one only.")
    unnamed = [case for case in cases if case not in named]
    sizes = Counter(groups.values())
    if joined := [case for case in unnamed if sizes[groups.get(case, "")] > 1]:
        raise UnsettledPatientsError(
            f"{root}: {table.name} names {len(named)} of {len(cases)} cases, but not "
            f"{some(joined)}, though the name goes with others'. Complete it, or say "
            'patients = "prefix" or "case".'
        )
    of = {case: next(iter(named[case])) if case in named else case for case in cases}
    told = (
        f"{len(set(of.values()))} by {table.name}, which names {len(named)} of {len(cases)} cases"
    )
    told += f"; each other counts as one: {some(unnamed)}" if unnamed else ""
    told += f"; {table.strange} that it names are not here" if table.strange else ""
    return Patients(of, told)


def _tables(
    root: Path, cases: Sequence[str], said: str | None, silent: list[str]
) -> Iterator[_Table]:
    """What says who is who, the first in rank first; files that don't are added to `silent`."""
    if said is not None:
        path = root / expanded(said)
        if not path.is_file():
            raise DataError(
                f'{path}: no such file; `patients` is "prefix", "case" or a file below {root}.'
            )
        found = _read(path, said, cases)
        if not found:
            raise DataError(f"{path}: names no persons; give it columns case and patient.")
        yield found
        return
    described = [root / name for name in ("dataset.json", "patients.json", "about.json")]
    tables = tables_beside(root)
    for path in (*filter(Path.is_file, described), *tables.usual):
        if found := _read(path, path.name, cases):
            yield found
        elif path in tables.usual:
            silent.append(f"{path.name} has no column of persons, or an empty one")
    yield from _others(tables.others, cases, silent)
    silent += [f"{path.name} is a spreadsheet: save it as CSV" for path in tables.unread]


def _others(paths: Sequence[Path], cases: Sequence[str], silent: list[str]) -> Iterator[_Table]:
    """What tables with unusual names say: those that name cases count, of others it is told."""
    for path in paths:
        try:
            table = read_table(path)
        except DataError:
            silent.append(f"{path.name} is no table")
            continue
        found = _of_columns(table, path.name, cases)
        if found and any(found.persons.values()):
            yield found
        elif found:
            silent.append(f"{path.name} has persons, but names none of the cases")


def _read(path: Path, name: str, cases: Sequence[str]) -> _Table | None:
    if path.suffix != ".json":
        return _of_columns(read_table(path), name, cases)
    content = read_json(path)
    if path.name == "about.json":
        name, pairs = f"`same_person` of {name}", _same_person(path, content)
    elif path.name == "dataset.json" and not content.get("patients"):
        name, pairs = f"the entries of {name}", list(_listed(content))
    else:
        if "patients" in content:
            name, content = f"`patients` of {name}", _object(path, content["patients"] or {})
        pairs = list(_pairs(path, content))
    refuse_shifted(f"{path.parent}: {name}", [case for case, _ in pairs], cases)
    return _of_pairs(pairs, name, cases)


def _of_pairs(pairs: list[tuple[str, str]], name: str, cases: Sequence[str]) -> _Table | None:
    """What pairs of case and person say; None where there is none."""
    names = [case for case, person in pairs if person]
    persons: dict[str, set[str]] = {}
    for case, person in pairs:
        persons.setdefault(case, set()).add(person)
    matched = match_names(names, cases)
    found = {case: set().union(*(persons[n] for n in meant)) for case, meant in matched.items()}
    strange = len({*names}.difference(*matched.values()))
    return _Table(name, found, names, strange) if names else None


def _of_columns(table: CaseTable, name: str, cases: Sequence[str]) -> _Table | None:
    """What a table's columns say; None where there is no column of persons, or it is empty."""
    column = table.column(PERSON)
    if column is None or not any(persons := table.columns[column]):
        return None
    rows = table.rows_of(cases, apart=column)
    named, begun = (
        {case: {persons[row] for row in at} - {""} for case, at in found.items()}
        for found in (rows, table.rows_begun(column, cases))
    )
    names = next((cells for title, cells in table.columns.items() if title != column), persons)
    if len(begun) > len(named):
        return _Table(name, begun, [*filter(None, names)], len({*persons} - {"", *_only(begun)}))
    known = {row for at in rows.values() for row in at}
    strange = sum(bool(person) and row not in known for row, person in enumerate(persons))
    return _Table(name, named, [*filter(None, names)], strange)


def _only(persons: Mapping[str, set[str]]) -> Iterator[str]:
    return (next(iter(found)) for found in persons.values())


def _pairs(path: Path, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Case and person of {"case": "person"} or {"person": ["case", …]}."""
    for key, value in table.items():
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            yield from ((case, key) for case in value)
        elif value is None or isinstance(value, str | int | float):
            text = "" if value is None else str(value).strip()
            yield key, "" if text.lower() in NOTHING else text
        else:
            raise DataError(f'{path}: patients: expected {{"case": "person"}}, got {value!r}.')


def _listed(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Case and person of entries {"image": …, "label": …, "patient": …} of any list."""
    lists = [value for value in content.values() if isinstance(value, list)]
    for entry in (one for listed in lists for one in listed if isinstance(one, dict)):
        names = [name for key in ("image", "label") if isinstance(name := entry.get(key), str)]
        keys = [key for key in entry if PERSON.fullmatch(plain(key))]
        persons = [str(entry[key]).strip() for key in keys if isinstance(entry[key], str | int)]
        if names and persons and persons[0].lower() not in NOTHING:
            yield names[0], persons[0]


def _object(path: Path, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f'{path}: patients: expected {{"case": "person", …}}, got {value!r}.')
    return value


def _same_person(path: Path, about: Mapping[str, Any]) -> list[tuple[str, str]]:
    groups = about.get("same_person") or []
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise DataError(f'{path}: same_person: expected [["a", "b"], …], got {groups!r}.')
    return [(str(case), str(min(group))) for group in groups for case in group]
