"""From the means of tasks to one standing an arm: bigger is better."""

from typing import Literal

import numpy as np

from voxbench.errors import SpecError, unknown
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import over_tasks

Aggregation = Literal["tasks", "patients", "borda"]
AGGREGATIONS: dict[Aggregation, str] = {
    "tasks": "mean of the tasks' means",
    "patients": "mean of all patients, so that larger test sets weigh more",
    "borda": "mean share of the other arms beaten on a task",
}


def standings(by_task: Array, times: Array, patients: Array, how: Aggregation, sign: int) -> Array:
    """One number for each resample and arm, (resample, arm); NaN where an arm has nothing.

    Args:
        by_task: means, (task, resample, arm).
        times: how often each task was drawn, (resample, task).
        patients: of each task, (task,).
        how: the aggregation.
        sign: of the metric.

    Raises:
        SpecError: the aggregation is unknown.
    """
    if how not in AGGREGATIONS:
        raise SpecError(unknown("aggregation", how, AGGREGATIONS))
    if how == "borda":
        shares = np.array([_beaten(sign * means) for means in by_task])
        return over_tasks(shares, times)
    weights = times * patients if how == "patients" else times
    return sign * over_tasks(by_task, weights)


def _beaten(standing: Array) -> Array:
    """Share of the other arms that each arm beats, ties a half, (resample, arm)."""
    arms = (~np.isnan(standing)).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(arms > 1, (arms - ranks(standing)) / (arms - 1), np.nan)


def ranks(standing: Array) -> Array:
    """Ranks within each resample, 1 is best, ties share their mean, (resample, arm).

    Standings are compared to 12 digits, so that rounding breaks no tie. An arm without a standing
    has no rank and takes none from the others.
    """
    rounded = np.round(standing, 12)
    found = np.ones_like(rounded)
    for arm in range(rounded.shape[1]):
        other = rounded[:, arm : arm + 1]
        found += (other > rounded) + 0.5 * (other == rounded)
    return np.where(np.isnan(rounded), np.nan, found - 0.5)
