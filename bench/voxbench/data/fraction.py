"""The cases that a cell may learn from: nested, patient-wise, class-covering subsets."""

import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from voxbench.api import Case
from voxbench.data.split import Split
from voxbench.design.fraction import Fraction
from voxbench.errors import DataError


class Subset(NamedTuple):
    """What a cell trains and selects on, each sorted by case id."""

    train: tuple[Case, ...]
    validation: tuple[Case, ...]


def unfit(split: Split, fraction: Fraction) -> str | None:
    """Say why a split can't give this fraction, or None if it can."""
    if fraction.listed is not None:
        return _unlisted(split, str(fraction), fraction.shots)
    patients = len({case.patient for case in split.train})
    if fraction.count(patients) > patients:
        return f"{fraction} of {patients} training patients"
    return None


def _unlisted(split: Split, name: str, shots: int | None) -> str | None:
    """Why a published list of so many patients can't be taken as it is, or None if it can."""
    if name not in split.lists:
        known = ", ".join(split.lists) or "none is known here"
        return f"{name} is a list that the task does not have: {known}"
    train = {case.id for case in split.train}
    if lacking := sorted({*split.lists[name]} - train):
        return f"{name}: {len(lacking)} of its cases are not in the training part, as {lacking[0]}"
    patients = len(_patients_of(split, name))
    return f"{name}: its cases show {patients} patients" if patients != shots else None


def _patients_of(split: Split, name: str) -> set[str]:
    """Whom the cases of a published list show."""
    named = {*split.lists[name]}
    return {case.patient for case in split.train if case.id in named}


def draw_subset(
    split: Split, fraction: Fraction, seed: int, classes: Mapping[str, frozenset[str]]
) -> Subset:
    """Draw training and validation patients.

    Patients are put in one order per seed and a fraction takes the first of them, so that the
    fractions of a seed are nested. In that order every class appears as early as possible: the
    next patient is the one that adds most classes, the shuffle decides between equals.
    Validation is scaled by the share of training patients that is taken, to at least one.

    Args:
        split: of the task.
        fraction: a share of the training patients, or a count of them.
        seed: of the draw.
        classes: case id → classes present in it.

    Raises:
        DataError: more patients are asked for than there are.
    """
    if reason := unfit(split, fraction):
        raise DataError(f"fraction {reason}: take another one.")
    train = _order(split.train, seed, classes)
    if fraction.listed is not None:
        own = _patients_of(split, str(fraction))
        train = sorted(train, key=lambda patient: patient not in own)
    validation = _order(split.validation, seed, classes)
    count = fraction.count(len(train))
    selected = scaled(len(validation), count, len(train))
    return Subset(
        cases_of(split.train, train[:count]), cases_of(split.validation, validation[:selected])
    )


def scaled(validation: int, count: int, train: int) -> int:
    """Validation patients of so many of the training patients: their share, at least one."""
    return max(1, -(-count * validation // train))


def _order(cases: Iterable[Case], seed: int, classes: Mapping[str, frozenset[str]]) -> list[str]:
    present: dict[str, frozenset[str]] = {}
    for case in cases:
        present[case.patient] = present.get(case.patient, frozenset()) | classes[case.id]
    waiting = sorted(present)
    random.Random(seed).shuffle(waiting)  # noqa: S311 (a reproducible draw, no secret)
    missing = frozenset().union(*present.values())
    first: list[str] = []
    while missing:
        best = max(waiting, key=lambda patient: len(present[patient] & missing))
        waiting.remove(best)
        first.append(best)
        missing -= present[best]
    return first + waiting


def cases_of(cases: Iterable[Case], patients: Iterable[str]) -> tuple[Case, ...]:
    """Those of some patients, in their order."""
    chosen = set(patients)
    return tuple(case for case in cases if case.patient in chosen)
