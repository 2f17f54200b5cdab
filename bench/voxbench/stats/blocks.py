"""The variance of a mean over the folds of a cross-validation, which are its blocks.

In a cross-validation every patient is tested on by one fold's trainings, so patients and trainings
are nested, not crossed: what a training does to all its patients (a lucky seed, a telling training
set) stands in the mean of its fold and in no other. Patients of one fold are no independent values,
folds are: the variance of the mean over patients is that between the folds' sums of residuals
(clusters; Liang & Zeger 1986, doi:10.1093/biomet/73.1.13), with one degree of freedom less than
there are folds. It holds the luck of patients, seeds and training sets alike.

What can't be had: trainings of a cross-validation share most of their patients, and what that
correlation adds has no unbiased estimate from one cross-validation (Bengio & Grandvalet 2004,
JMLR 5:1089; Nadeau & Bengio 2003, doi:10.1023/A:1024068626366). The interval is one of methods that
are trained on such a share of these patients; `tests/benchmarks/cross_validation.py` shows what it
covers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.student import Spread


class Blocks(NamedTuple):
    """A mean over patients by its folds, each (arm, fold).

    Attributes:
        sums: of the residuals of a fold's patients, over the number of all patients with a value:
            what the fold adds to the error of the mean.
        patients: how many have a value.
        within: sum of squares of the patients' distances from the mean of their fold.
    """

    sums: Array
    patients: Array
    within: Array


def blocks(by_patient: Array, folds: Sequence[int]) -> Blocks:
    """Patients by their fold.

    Args:
        by_patient: means over runs, (arm, patient), NaN where undefined.
        folds: of each patient; the columns of what is returned are theirs, sorted.
    """
    of = np.array(folds)
    known = ~np.isnan(by_patient)
    rest = np.where(known, by_patient - nanmean(by_patient, axis=1)[:, None], 0.0)
    members = (of[:, None] == np.unique(of)).astype(np.float64)
    patients = known @ members
    sums, squares = rest @ members, rest**2 @ members
    within = squares - sums**2 / np.maximum(patients, 1)
    return Blocks(sums / np.maximum(known.sum(axis=1), 1)[:, None], patients, within)


def variance_of(sums: Array) -> Array:
    """Of a mean whose folds have these sums of residuals, (arm,), of (arm, fold).

    A fold without a patient is none; NaN where there are fewer than two.
    """
    count = np.isfinite(sums).sum(axis=1)
    squares = np.nansum(sums**2, axis=1)
    return np.where(count > 1, squares * count / np.maximum(count - 1, 1), np.nan)


def spread_over_folds(by_patient: Array, folds: Sequence[int]) -> Spread:
    """The variance of the mean over patients of a cross-validation.

    All of it stands with the runs, and what patients show within their folds is in both.

    Args:
        by_patient: means over runs, (arm, patient), NaN where undefined.
        folds: of each patient.
    """
    found = blocks(by_patient, folds)
    there = found.patients > 0
    total = variance_of(np.where(there, found.sums, np.nan))
    people, count = found.patients.sum(axis=1), there.sum(axis=1)
    freedom = np.maximum(people - count, 1.0)
    patients = found.within.sum(axis=1) / freedom / np.maximum(people, 1.0)
    return Spread(patients, freedom, total, np.maximum(count - 1.0, 1.0), patients)
