"""Does a score tell cases of another distribution from those that a model was made for?"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Detection(NamedTuple):
    """How well a score finds the positives; all NaN where either kind is missing.

    Attributes:
        auroc: the chance that a positive scores above a negative; half for ties.
        aupr: average precision over the positives.
        fpr95: share of negatives at the highest threshold that 95% of the positives reach.
        top_half: share of the positives among the ⌊n/2⌋ highest scores; ties share the places.
    """

    auroc: float
    aupr: float
    fpr95: float
    top_half: float


def detect(score: NDArray[Any], positive: NDArray[Any]) -> Detection:
    """How well a score (case,) finds the cases that are `positive` (case,), in O(n log n).

    Whatever ties is one threshold. AUPR is the step-wise average precision of scikit-learn.
    """
    wanted = np.asarray(positive, np.bool_)
    positives, negatives = int(wanted.sum()), int((~wanted).sum())
    if not positives or not negatives:
        return Detection(*[math.nan] * 4)
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    ranked = np.asarray(score)[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # the last of each tie
    taken = np.append(0, ends + 1)
    found = np.append(0, np.cumsum(wanted[order])[ends])
    recall, false = found / positives, (taken - found) / negatives
    precision = found[1:] / taken[1:]
    return Detection(
        auroc=float(np.trapezoid(recall, false)),
        aupr=float((np.diff(recall) * precision).sum()),
        fpr95=float(false[np.argmax(20 * found >= 19 * positives)]),
        top_half=float(np.interp(len(order) // 2, taken, recall)),
    )


def false_positives(
    score: NDArray[Any], positive: NDArray[Any], times: NDArray[Any]
) -> NDArray[np.float64]:
    """`fpr95` of resamples, (resample,); NaN where either kind is missing.

    Args:
        score: of each case, (case,).
        positive: which cases are to be found, (case,).
        times: how often each case was drawn, (resample, case).
    """
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    ranked, wanted = np.asarray(score)[order], np.asarray(positive, np.bool_)[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    found, false = (
        np.cumsum(times[:, order] * kind, axis=1)[:, ends] for kind in (wanted, ~wanted)
    )
    at = np.argmax(20 * found >= 19 * found[:, -1:], axis=1)
    there = (found[:, -1] > 0) & (false[:, -1] > 0)
    taken = false[np.arange(len(times)), at] / np.where(there, false[:, -1], 1)
    return np.where(there, taken, math.nan)
