"""Ranks of arms: from the means of tasks to one score an arm, to ranks, to groups of ties."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from voxbench.compiled import compiled
from voxbench.errors import SpecError, unknown
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import over_tasks

Aggregation = Literal["tasks", "patients", "borda"]
AGGREGATIONS: dict[Aggregation, str] = {
    "tasks": "mean of the tasks' means",
    "patients": "mean of all patients, so that larger test sets weigh more",
    "borda": "mean share of the other arms beaten on a task",
}


def aggregate(by_task: Array, times: Array, patients: Array, how: Aggregation, sign: int) -> Array:
    """One score for each resample and arm, (resample, arm), NaN where an arm has none.

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


def _beaten(scores: Array) -> Array:
    """Share of the other arms that each arm beats, ties a half, (resample, arm)."""
    arms = (~np.isnan(scores)).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(arms > 1, (arms - ranks(scores)) / (arms - 1), np.nan)


def ranks(scores: Array) -> Array:
    """Ranks within each resample, 1 is best, ties share their mean, (resample, arm).

    Scores are compared to 12 digits, so that rounding breaks no tie. An arm without a score
    has no rank and takes none from the others.
    """
    return _ranks(np.ascontiguousarray(np.round(scores, 12)))


@compiled
def _ranks(scores: Array) -> Array:
    found = np.empty(scores.shape)
    for row in range(len(scores)):
        own = scores[row]
        for arm in range(len(own)):
            before = 0.5
            for other in own:
                before += (other > own[arm]) + 0.5 * (other == own[arm])
            found[row, arm] = np.nan if np.isnan(own[arm]) else before
    return found


def tie_letters(order: Sequence[int], apart: set[frozenset[int]]) -> list[str]:
    """Letters of the longest stretches of a ranking in which no pair is apart, (arm,).

    Args:
        order: arms, best first.
        apart: pairs of arms that are told apart.
    """
    letters = [""] * len(order)
    tied = stretches(len(order), lambda i, j: frozenset((order[i], order[j])) not in apart)
    for number, (start, end) in enumerate(tied):
        for arm in order[start : end + 1]:
            letters[arm] += chr(ord("a") + number % 26)
    return letters


def stretches(n: int, tied: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """First and last of each longest stretch of 0…n−1 in which all pairs are tied."""
    found: list[tuple[int, int]] = []
    for start in range(n):
        end = start
        while end + 1 < n and all(tied(i, end + 1) for i in range(start, end + 1)):
            end += 1
        if not found or end > found[-1][1]:
            found.append((start, end))
    return found
