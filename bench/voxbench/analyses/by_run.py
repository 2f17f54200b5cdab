"""Values of patients by run, as the samples that intervals are made of."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Run
from voxbench.analyses.shared import fold_of_each
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample

ByPatient = Mapping[str, float]
ByRun = Mapping[Run, ByPatient]
_NO_FOLDS: Mapping[str, int] = {}


class Paired(NamedTuple):
    """What two have of the same patients in the same runs.

    Attributes:
        runs: that both have.
        both: ours and theirs, (2, patient, run), NaN where undefined.
    """

    runs: tuple[Run, ...]
    both: Sample

    @property
    def difference(self) -> Sample:
        """Ours − theirs, (patient, run)."""
        ours, theirs = self.both.values
        return self.both.with_values(ours - theirs)

    @property
    def means(self) -> Array:
        """Of either over the patients that both have, (2, run)."""
        undefined = np.isnan(self.difference.values)
        return nanmean(np.where(undefined, np.nan, self.both.values), axis=1)


def paired(ours: ByRun, theirs: ByRun, folds: Mapping[str, int] = _NO_FOLDS) -> Paired:
    """Two sides on the patients and runs that both have.

    Args:
        ours: run → patient → value.
        theirs: the same of the other.
        folds: patient → fold of a cross-validation.
    """
    runs = tuple(sorted(run for run in ours if run in theirs))
    patients = sorted({*patients_of(ours)} & {*patients_of(theirs)})
    one, other = (sample_of_runs(side, runs, patients, folds) for side in (ours, theirs))
    return Paired(runs, one.with_values(np.stack([one.values, other.values])))


def whole_sample(values: ByRun, folds: Mapping[str, int] = _NO_FOLDS) -> Sample:
    """All patients and runs, (patient, run)."""
    return sample_of_runs(values, sorted(values), patients_of(values), folds)


def sample_of_runs(
    values: ByRun,
    runs: Sequence[Run],
    patients: Sequence[str],
    folds: Mapping[str, int] = _NO_FOLDS,
) -> Sample:
    """Values of some patients in some runs, (patient, run); NaN where a run lacks a patient."""
    table = [[values[run].get(patient, math.nan) for run in runs] for patient in patients]
    found: Array = np.array(table, np.float64).reshape(len(patients), len(runs))
    return Sample(found, tuple(run.draw for run in runs), fold_of_each(patients, folds))


def patients_of(values: ByRun) -> list[str]:
    """All of any run, sorted."""
    return sorted({patient for own in values.values() for patient in own})


def patients_in(sample: Sample) -> int:
    """How many have a value, of (patient, run)."""
    return int((~np.isnan(sample.values)).any(axis=1).sum())


def mean_by_patient(patients: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Patient → mean over the cases that are defined; NaN where none is.

    Args:
        patients: of each case.
        values: of each case.
    """
    found: dict[str, list[float]] = {}
    for patient, value in zip(patients, values, strict=True):
        found.setdefault(patient, []).append(value)
    return {patient: float(nanmean(np.array(own), axis=0)) for patient, own in found.items()}
