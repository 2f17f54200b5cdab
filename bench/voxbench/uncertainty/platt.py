"""From a score of uncertainty to a confidence: Platt scaling, fitted on validation cases."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

_STEPS = 100
_CLOSE = 1e-13  # of a step of Newton, in standard deviations of the score


class Platt(NamedTuple):
    """Confidence = 1 / (1 + exp(b − a · score)); a < 0 where doubt falls with the score."""

    a: float
    b: float

    def confidence(self, score: NDArray[Any]) -> NDArray[np.float64]:
        """Of each score, in its shape."""
        found: NDArray[np.float64] = special.expit(self.a * np.asarray(score, np.float64) - self.b)
        return found

    @classmethod
    def mean(cls, fits: Iterable["Platt"]) -> "Platt":
        """The mean of what was fitted to each case, as in ValUES."""
        a, b = np.mean(list(fits), axis=0)
        return cls(float(a), float(b))


def fit_platt(score: NDArray[Any], right: NDArray[Any], trials: NDArray[Any] | int = 1) -> Platt:
    """Fit the confidence of one case by maximum likelihood, with Platt's smoothed targets.

    After Platt (1999) and Lin, Lin & Weng (2007, doi:10.1007/s10994-007-5018-6): n right
    judgements aim at (n + 1)/(n + 2), n wrong ones at 1/(n + 2), so that a case without a mistake
    has a fit too. By Newton's steps, halved where they overshoot.

    Args:
        score: of uncertainty, (*spatial).
        right: whether each voxel is, or for how many of those who judged it, (*spatial).
        trials: who judged each voxel, (*spatial); 1 where there is one reference.
    """
    u, good = (np.asarray(side, np.float64).ravel() for side in (score, right))
    judged = np.broadcast_to(np.asarray(trials, np.float64), np.shape(right)).ravel()
    n_right, n_wrong = good.sum(), (judged - good).sum()
    aims = good * (n_right + 1) / (n_right + 2) + (judged - good) / (n_wrong + 2)
    centre, spread = u.mean(), u.std() or 1.0
    z = (u - centre) / spread
    at, loss = np.zeros(2), np.inf
    step = np.zeros(2)
    for _ in range(_STEPS):
        logit = at[0] * z + at[1]
        new = float((judged * np.logaddexp(0, logit) - aims * logit).sum())
        if new > loss * (1 + 1e-12):
            step /= 2
            at = at - step
            continue
        loss, p = new, special.expit(logit)
        miss, weight = aims - judged * p, judged * p * (1 - p)
        slope = np.array([(miss * z).sum(), miss.sum()])
        cross = (weight * z).sum()
        curve = np.array([[(weight * z * z).sum(), cross], [cross, weight.sum()]])
        step = np.linalg.lstsq(curve, slope)[0]
        at = at + step
        if np.abs(step).max() < _CLOSE:
            break
    a = at[0] / spread
    return Platt(float(a), float(a * centre - at[1]))
