"""The hierarchical bootstrap: task → patient and training run, in matrices of counts.

Every patient of a test set is segmented by every training run, so patients and runs are crossed,
not nested: a lucky seed lifts all patients together. Both are resampled independently (the
pigeonhole bootstrap, Owen 2007, doi:10.1214/07-AOAS122). Resampling runs within each patient
would average that shared luck away and call seeds an effect.

Runs are few, and a plain bootstrap of n values understates their variance by (n − 1)/n. So the
highest level of runs that varies (draws of the labelled subset, else seeds) is resampled
n − 1 out of n, which is unbiased (Rao & Wu 1988, doi:10.1080/01621459.1988.10478591). With a
single run the interval can speak of patients only.

In a cross-validation patients and runs are not crossed: each patient is of one fold, which has
trainings of its own. There the folds are resampled whole, n − 1 out of n, with their patients and
runs (`stats.blocks`).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voxbench.stats.arrays import Array, defined, nanmean
from voxbench.stats.blocks import spread_over_folds
from voxbench.stats.counts import (
    RESAMPLES,
    fold_counts,
    patient_counts,
    run_counts,
    task_counts,
)
from voxbench.stats.inference import (
    NOTHING,
    Inference,
    infer,
    infer_over_tasks,
    joined,
    percentiles_of,
    split,
)
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.student import Spread, spread

_TOGETHER = 64  # samples


class Sample(NamedTuple):
    """Values of one task.

    Attributes:
        values: (patient, run) or (arm, patient, run), NaN where undefined.
        draws: of each run.
        folds: of each patient in a cross-validation; empty where all runs test on all patients.
    """

    values: Array
    draws: tuple[int, ...]
    folds: tuple[int, ...] = ()

    @property
    def folded(self) -> bool:
        """Its patients are of several folds; those of one share their trainings, as ever."""
        return len({*self.folds}) > 1

    def with_values(self, values: Array) -> "Sample":
        """Others of the same patients and runs."""
        return self._replace(values=values)

    def of_patients(self, rows: Sequence[int]) -> "Sample":
        """Some of its patients, (patient, run)."""
        folds = tuple(self.folds[row] for row in rows) if self.folds else ()
        return self._replace(values=self.values[rows], folds=folds)

    def spread(self) -> Spread:
        """The variance of each arm's mean, (arm,), of (arm, patient, run)."""
        if self.folded:
            return spread_over_folds(nanmean(self.values, axis=2), self.folds)
        return spread(self.values, self.draws)

    def counts(self, tasks: int, column: int, resamples: int) -> tuple[Array, Array]:
        """How often each patient and each run is drawn, (resample, patient) and (resample, run).

        Args:
            tasks: of which there are so many.
            column: that this one is.
            resamples: how many.
        """
        if self.folded:
            together = np.ones((resamples, len(self.draws)))
            return fold_counts(self.folds, tasks, column, resamples), together
        patients = patient_counts(self.values.shape[-2], tasks, column, resamples)
        return patients, run_counts(self.draws, column, resamples)


class Estimates(NamedTuple):
    """The mean over patients of the mean over runs, of each task and arm.

    Attributes:
        points: (task, arm).
        drawn: in each resample, (task, resample, arm); NaN where nothing was drawn.
        times: how often each task was drawn, (resample, task).
    """

    points: Array
    drawn: Array
    times: Array


def estimate(samples: Sequence[Sample], resamples: int = RESAMPLES) -> Estimates:
    """Resample tasks, patients and runs; all arms share the draws, and runs they have in common.

    The samples are (arm, patient, run), with the same arms.
    """
    drawn = np.empty((len(samples), resamples, len(samples[0].values)))
    for column, sample in enumerate(samples):
        drawn[column] = _arm_means(sample.values, *sample.counts(len(samples), column, resamples))
    return Estimates(points_of(samples), drawn, task_counts(len(samples), resamples))


def points_of(samples: Sequence[Sample]) -> Array:
    """The mean over patients of the mean over runs, (task, arm), of (arm, patient, run)."""
    return np.array([nanmean(nanmean(sample.values, axis=2), axis=1) for sample in samples])


def bootstrap(*samples: Sample, resamples: int = RESAMPLES) -> Interval:
    """Mean over tasks of the mean over patients of the mean over runs, with its 95% interval.

    For an effect give the differences arm − twin, paired by patient and run. One sample is one
    task. The same samples give the same interval.
    """
    [interval] = infer_mean(*samples, resamples=resamples).intervals()
    return interval


def infer_mean(*samples: Sample, resamples: int = RESAMPLES) -> Inference:
    """The same mean, (1,), with intervals of any level and its p."""
    known = [
        sample.with_values(sample.values[None])
        for sample in samples
        if not np.isnan(sample.values).all()
    ]
    if not known:
        return NOTHING
    return infer_means(estimate(known, resamples), known)


def infer_each(samples: Sequence[Sample]) -> Inference:
    """The mean of each sample by itself, (sample,), as `infer_mean` gives it of one.

    Samples whose patients, runs, folds and gaps are the same are resampled together, as columns.
    """
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        undefined = np.isnan(sample.values)
        if not undefined.all():
            shared = sample.values.shape, sample.draws, sample.folds, undefined.tobytes()
            alike[shared].append(place)
    found = [NOTHING] * len(samples)
    for places in alike.values():
        for start in range(0, len(places), _TOGETHER):
            columns = places[start : start + _TOGETHER]
            stacked = np.stack([samples[place].values for place in columns])
            together = [samples[columns[0]].with_values(stacked)]
            inference = infer_means(estimate(together), together)
            for place, one in zip(columns, split(inference), strict=True):
                found[place] = one
    return joined(found)


def bootstrap_shift(inside: Sample, outside: Sample, resamples: int = RESAMPLES) -> Interval:
    """Mean of other patients minus that of the own ones, with its 95% interval.

    The trainings are the same, and are drawn together; patients of the two sides are others, and
    are drawn apart.

    Args:
        inside: (patient, run) of the own patients.
        outside: the same of the others, by the same runs.
        resamples: how many.
    """
    if np.isnan(inside.values).all() or np.isnan(outside.values).all():
        return UNDEFINED
    runs = run_counts(inside.draws, 0, resamples)
    own, others = (patient_counts(len(side.values), 1, 0, resamples) for side in (inside, outside))
    drawn = _arm_means(outside.values[None], others[::-1], runs)
    drawn = drawn - _arm_means(inside.values[None], own, runs)
    points = points_of([Sample(side.values[None], side.draws) for side in (inside, outside)])
    units = np.array([min(defined(nanmean(s.values, axis=1)) for s in (inside, outside))], np.intp)
    [found] = percentiles_of(drawn, points[1] - points[0], units)
    return found


def infer_means(found: Estimates, samples: Sequence[Sample]) -> Inference:
    """Each arm's mean over tasks, (arm,).

    Args:
        found: estimates of the samples.
        samples: (arm, patient, run) of each task.
    """
    if len(samples) > 1:
        return infer_over_tasks(found.points)
    return infer_task(found.drawn[0], found.points[0], samples[0])


def infer_task(drawn: Array, points: Array, sample: Sample) -> Inference:
    """Means of one task, (column,); as skewed as resamples are, which a few folds can't show.

    Args:
        drawn: estimates, (resample, column).
        points: the estimates themselves, (column,).
        sample: what they are means of, (column, patient, run).
    """
    if sample.folded:
        return Inference(points, np.ones(len(points)), np.ones(len(points)), sample.spread())
    return infer(drawn, points, sample.spread())


def over_tasks(by_task: Array, times: Array) -> Array:
    """The mean over the drawn tasks, (resample, arm), of (task, resample, arm)."""
    weights = times.T[:, :, None] * ~np.isnan(by_task)
    return _ratio((weights * np.nan_to_num(by_task)).sum(axis=0), weights.sum(axis=0))


def _arm_means(values: Array, patients: Array, runs: Array) -> Array:
    """Mean over resampled patients of their mean over resampled runs, (resample, arm)."""
    undefined = np.isnan(values)
    scored = ~undefined.all(axis=(0, 2))
    if not scored.all():
        values, undefined, patients = values[:, scored], undefined[:, scored], patients[:, scored]
    if not undefined.any():
        return _complete_means(values, patients, runs)
    means = [_partial_means(arm, patients, runs) for arm in values]
    return np.stack(means, axis=1)


def _complete_means(values: Array, patients: Array, runs: Array) -> Array:
    """Where nothing is undefined: one product for all arms and runs."""
    arms, people, trained = values.shape
    by_run = patients @ values.transpose(1, 0, 2).reshape(people, arms * trained)
    total = np.einsum("bar,br->ba", by_run.reshape(-1, arms, trained), runs)
    return _ratio(total, (patients.sum(axis=1) * runs.sum(axis=1))[:, None] + np.zeros(arms))


def _partial_means(values: Array, patients: Array, runs: Array) -> Array:
    """One arm with undefined values, (patient, run): runs first, so that a patient counts once."""
    undefined = np.isnan(values)
    total = np.einsum("br,pr->bp", runs, np.where(undefined, 0.0, values))
    by_patient = _ratio(total, np.einsum("br,pr->bp", runs, (~undefined).astype(np.float64)))
    missing = np.isnan(by_patient)
    total = (patients * np.where(missing, 0.0, by_patient)).sum(axis=1)
    return _ratio(total, (patients * ~missing).sum(axis=1))


def _ratio(numerator: Array, denominator: Array) -> Array:
    empty = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=empty, where=denominator > 0)
    return empty
