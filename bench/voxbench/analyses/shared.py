"""Several arms on the same pairs of a case and a class."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.groups import Group, Run, means_by_patient
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample


class SharedScores(NamedTuple):
    """Scores of arms on the same pairs.

    Attributes:
        values: (arm, patient, run), NaN where undefined, or where an arm lacks a case or a run.
        left_out: pairs of a case and a class that some arm has and some has not.
    """

    values: Array
    left_out: int


def shared_scores(
    groups: Sequence[Group], key: str, cases: Sequence[tuple[str, str]], runs: Sequence[Run]
) -> SharedScores:
    """Scores of arms that are all averaged over the same pairs of a case and a class.

    A pair that an arm, in one of its runs, has no score of counts for none. What an arm lacks
    altogether, a case or a run, takes nothing from the others.

    Args:
        groups: the arms.
        key: of the metric.
        cases: patient and case, sorted.
        runs: of all arms.
    """
    classes = list(dict.fromkeys(name for group in groups for name in group.classes))
    values = np.full((len(groups), len(cases), len(classes), len(runs)), np.nan)
    lacking = np.zeros((len(cases), len(classes)), dtype=np.bool_)
    shared = [cache(partial(_shared, wanted)) for wanted in (cases, classes, runs)]
    for own, group in zip(values, groups, strict=True):
        axes = group.cases, group.classes, group.runs
        rows, columns, depths = (find(there) for find, there in zip(shared, axes, strict=True))
        found = group.score(key)[np.ix_(rows.there, columns.there, depths.there)]
        own[np.ix_(rows.wanted, columns.wanted, depths.wanted)] = found
        if depths.wanted.size:
            missing = np.isnan(own[rows.wanted][:, :, depths.wanted])
            lacking[rows.wanted] |= missing.any(axis=2)
    left_out = lacking & ~np.isnan(values).all(axis=(0, 3))
    values[:, lacking] = np.nan
    means = means_by_patient(values, [patient for patient, _ in cases])
    return SharedScores(means, int(left_out.sum()))


def sample_of(
    values: Array,
    cases: Sequence[tuple[str, str]],
    runs: Sequence[Run],
    groups: Sequence[Group],
) -> Sample:
    """Values of the patients of some cases, with what decides how independent they are.

    Args:
        values: (…, patient, run).
        cases: patient and case, sorted.
        runs: of the values.
        groups: the arms that they are of.
    """
    patients = list(dict.fromkeys(patient for patient, _ in cases))
    folds = {patient: fold for group in groups for patient, fold in group.folds.items()}
    return Sample(values, tuple(run.draw for run in runs), fold_of_each(patients, folds))


def fold_of_each(patients: Sequence[str], folds: Mapping[str, int]) -> tuple[int, ...]:
    """The fold of each patient; empty where the trainings of all test on all.

    Where some patients are of no fold, as where a cross-validation is compared with trainings on
    one split, these are one of their own.
    """
    return tuple(folds.get(patient, -1) for patient in patients) if folds else ()


class _Both(NamedTuple):
    there: NDArray[np.intp]
    wanted: NDArray[np.intp]


def _shared(wanted: Sequence[object], there: Sequence[object]) -> _Both:
    """Where the items that are in both stand in either."""
    place = {item: at for at, item in enumerate(wanted)}
    both = [(at, place[item]) for at, item in enumerate(there) if item in place]
    return _Both(*np.array(both, np.intp).reshape(-1, 2).T)
