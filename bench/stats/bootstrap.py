"""The hierarchical bootstrap: task → patient and training run, in matrices of counts.

Every patient of a test set is segmented by every training run, so patients and runs are crossed,
not nested: a lucky seed lifts all patients together. Both are resampled independently (the
pigeonhole bootstrap, Owen 2007, doi:10.1214/07-AOAS122). Resampling runs within each patient
would average that shared luck away and call seeds an effect.

Runs are few, and a plain bootstrap of n values understates their variance by (n − 1)/n. So the
highest level of runs that varies (draws of the labelled subset, else seeds) is resampled
n − 1 out of n, which is unbiased (Rao & Wu 1988, doi:10.1080/01621459.1988.10478591). With a
single run the interval can speak of patients only.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.frame import nanmean

RESAMPLES = 10_000
LEVEL = 0.95

Array = NDArray[np.float64]


class Sample(NamedTuple):
    """Values of one task, (patient, run), NaN where undefined, and the draw of each run."""

    values: Array
    draws: tuple[int, ...]


class Interval(NamedTuple):
    """A mean with its percentile interval."""

    mean: float
    low: float
    high: float


def bootstrap(
    *samples: Sample, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Interval:
    """Mean over tasks of the mean over patients of the mean over runs, with its interval.

    For an effect give the differences arm − twin, paired by patient and run. One sample is one
    task: tasks are resampled where there are several. The same seed gives the same interval.
    """
    known = [sample for sample in samples if not np.isnan(sample.values).all()]
    if not known:
        return Interval(np.nan, np.nan, np.nan)
    means = [_mean(nanmean(sample.values, axis=1)) for sample in known]
    estimates = _estimates(known, resamples, seed)
    tail = 50 * (1 - level)
    low, high = np.percentile(estimates[~np.isnan(estimates)], [tail, 100 - tail])
    return Interval(float(np.mean(means)), float(low), float(high))


def _mean(values: Array) -> float:
    return float(nanmean(values, axis=0))


def _estimates(samples: Sequence[Sample], resamples: int, seed: int) -> Array:
    """The statistic in each resample, (resample,)."""
    tasks = _task_counts(len(samples), resamples, seed)
    total = np.zeros(resamples)
    for column, sample in enumerate(samples):
        shape = (len(sample.values), len(samples), column)
        patients = _patient_counts(*shape, resamples, seed)
        runs = _run_counts(sample.draws, column, resamples, seed)
        times = tasks[:, column]
        total += np.where(times > 0, times * _task_means(sample.values, patients, runs), 0.0)
    return total / len(samples)


def _task_means(values: Array, patients: Array, runs: Array) -> Array:
    """Mean over resampled patients of their mean over resampled runs, (resample,).

    `einsum` rather than `@`: for matrices this thin it is faster, and its result does not
    depend on the number of threads.
    """
    undefined = np.isnan(values)
    if not undefined.any():
        by_run = np.einsum("bp,rp->br", patients, np.ascontiguousarray(values.T))
        return _ratio((by_run * runs).sum(axis=1), patients.sum(axis=1) * runs.sum(axis=1))
    total = np.einsum("br,pr->bp", runs, np.where(undefined, 0.0, values))
    by_patient = _ratio(total, np.einsum("br,pr->bp", runs, (~undefined).astype(np.float64)))
    missing = np.isnan(by_patient)
    total = (patients * np.where(missing, 0.0, by_patient)).sum(axis=1)
    return _ratio(total, (patients * ~missing).sum(axis=1))


def _ratio(numerator: Array, denominator: Array) -> Array:
    empty = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=empty, where=denominator > 0)
    return empty


@lru_cache(maxsize=64)
def _task_counts(tasks: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """How often each task is drawn, (resample, task)."""
    rng = np.random.default_rng([seed, tasks])
    return rng.multinomial(tasks, _even(tasks), size=resamples)


@lru_cache(maxsize=16)
def _patient_counts(patients: int, tasks: int, column: int, resamples: int, seed: int) -> Array:
    """How often each patient is drawn, (resample, patient).

    For each time that their task, the `column`th of `tasks`, is drawn: as many as it has.
    """
    rng = np.random.default_rng([seed, tasks, column, patients])
    times = _task_counts(tasks, resamples, seed)[:, column]
    return rng.multinomial(patients * times, _even(patients)).astype(np.float64)


@lru_cache(maxsize=64)
def _run_counts(draws: tuple[int, ...], column: int, resamples: int, seed: int) -> Array:
    """How often each run is drawn, (resample, run): draws first, then the seeds of each."""
    rng = np.random.default_rng([seed, column, len(draws), 1])
    labels, sizes = np.unique(draws, return_counts=True)
    if len(draws) == 1:
        return np.ones((resamples, 1))
    if len(labels) == 1:
        drawn = rng.multinomial(len(draws) - 1, _even(len(draws)), size=resamples)
        return drawn.astype(np.float64)
    counts = np.zeros((resamples, len(draws)))
    chosen = rng.multinomial(len(labels) - 1, _even(len(labels)), size=resamples)
    for place, (label, size) in enumerate(zip(labels, sizes, strict=True)):
        seeds = np.flatnonzero(np.equal(draws, label))
        counts[:, seeds] = rng.multinomial(size * chosen[:, place], _even(int(size)))
    return counts


def _even(n: int) -> Array:
    return np.full(n, 1 / n, dtype=np.float64)
