"""The interquartile mean over patients, with its interval.

Less moved by outliers than the mean, less wasteful than the median (Agarwal et al. 2021,
arXiv:2108.13264).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled
from voxbench.stats.arrays import Array, defined, nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.counts import RESAMPLES
from voxbench.stats.inference import infer_over_tasks, percentiles_of
from voxbench.stats.interval import Interval

_FIRST = 2000  # of the resamples that everybody shares: sorting is dear


def interquartile_mean(values: Array) -> Array:
    """Mean of the middle half of the defined values of each column, (column,).

    A value that the quartile cuts counts in part.
    """
    return np.array([_middle(column[~np.isnan(column)]) for column in values.T])


def _middle(values: Array) -> float:
    n = len(values)
    if not n:
        return float("nan")
    edges = np.arange(n + 1.0)
    weights = np.diff(np.clip(edges, n / 4, 3 * n / 4))
    return float(np.sort(values) @ weights / weights.sum())


def iqm_intervals(samples: Sequence[Sample]) -> list[Interval]:
    """The mean over tasks of each arm's interquartile mean, with its 95% interval.

    Within a task patients and runs are resampled as everywhere, and the tails moved out; over
    several the interval is Student's over tasks.

    Args:
        samples: (arm, patient, run) of each task.
    """
    means = [nanmean(sample.values, axis=2).T for sample in samples]
    by_task = np.array([interquartile_mean(task) for task in means])
    if len(samples) > 1:
        return infer_over_tasks(by_task).intervals()
    [sample] = samples
    patients, runs = sample.counts(1, 0, RESAMPLES)
    drawn = iqm_resampled(sample, patients[:_FIRST], runs[:_FIRST])
    return percentiles_of(drawn, by_task[0], _units(sample, means[0]))


def _units(sample: Sample, means: Array) -> NDArray[np.intp]:
    """What was resampled of each arm, (arm,): patients, or the folds that they are of."""
    if not sample.folded:
        return defined(means)
    of = np.array(sample.folds)
    return np.array([len({*of[~np.isnan(own)].tolist()}) for own in means.T], np.intp)


def iqm_resampled(sample: Sample, patients: Array, runs: Array) -> Array:
    """The interquartile mean in each resample, (resample, arm); NaN where nothing was drawn.

    Few runs are drawn in few ways: patients are sorted once for each way.
    """
    ways, of = np.unique(runs, axis=0, return_inverse=True)
    found, size = np.empty((len(patients), len(sample.values))), patients.sum(axis=1)
    for arm, values in enumerate(sample.values):
        known = ~np.isnan(values)
        total = ways @ np.where(known, values, 0.0).T
        times = ways @ known.T.astype(np.float64)
        means = np.full(total.shape, np.nan)
        np.divide(total, times, out=means, where=times > 0)
        order = np.argsort(means, axis=1)
        ranked = np.take_along_axis(means, order, axis=1)
        there = defined(means.T)
        found[:, arm] = _middles(ranked, order, there, of.ravel(), patients, size)
    return found


@compiled
def _middles(
    ranked: Array,
    order: NDArray[np.int64],
    there: NDArray[np.int64],
    of: NDArray[np.int64],
    counts: Array,
    size: Array,
) -> Array:
    """Mean of the middle half of sorted values that count so many times each.

    NaN come last, `there` is how many are none; `size` is how often all together were drawn.
    """
    found = np.full(len(of), np.nan)
    for row in range(len(of)):
        values, patients, known = ranked[of[row]], order[of[row]], there[of[row]]
        n = size[row]
        for rank in range(known, len(values)):
            n -= counts[row, patients[rank]]
        if n == 0:
            continue
        total, before, first, last = 0.0, 0.0, 0.25 * n, 0.75 * n
        for rank in range(known):
            after = before + counts[row, patients[rank]]
            # without a branch: which patients lie in the middle is hard to foresee
            inside = max(0.0, min(after, last) - max(before, first))
            total += inside * values[rank]
            before = after
            if before >= last:
                break
        found[row] = total / (0.5 * n)
    return found
