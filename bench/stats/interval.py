"""From bootstrap estimates to an interval: expanded percentile, percentile, or BCa."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Kind = Literal["expanded", "percentile", "bca"]
LEVEL = 0.95
NARROWEST = 5e-4  # a tail of 10,000 resamples that still holds a few of them


class Interval(NamedTuple):
    """A mean with its interval."""

    mean: float
    low: float
    high: float


def bounds(
    estimates: Array, point: Array, units: Array, kind: Kind = "expanded", level: float = LEVEL
) -> tuple[Array, Array]:
    """Lower and upper bound of each column.

    Percentile intervals of a mean are too narrow for few units: a resample has (n − 1)/n of the
    variance, and the normal tail where Student's is due. The default takes percentiles so much
    further out that it would be Student's interval for normal data (the expanded percentile
    interval, Hesterberg 2015, doi:10.1080/00031305.2015.1089789). BCa corrects for bias and
    skewness (Efron 1987, doi:10.1080/01621459.1987.10478410), not for few units.

    Args:
        estimates: (resample, column), NaN where a resample has none.
        point: the statistic itself, (column,).
        units: its value for each patient, or for each task if there are several, (unit, column),
            NaN where undefined.
        kind: of the interval.
        level: of confidence.
    """
    pairs = [
        _bounds(estimates[:, i], float(point[i]), units[:, i], kind, level)
        for i in range(estimates.shape[1])
    ]
    low, high = np.array(pairs).reshape(-1, 2).T
    return low, high


def _bounds(
    estimates: Array, point: float, units: Array, kind: Kind, level: float
) -> tuple[float, float]:
    if not np.isfinite(estimates.sum()):
        estimates = estimates[~np.isnan(estimates)]
    if not estimates.size:
        return math.nan, math.nan
    known = units[~np.isnan(units)]
    tail = (1 - level) / 2
    if kind == "bca":
        tails = _corrected(estimates, point, known, tail)
    else:
        tail = _expanded(tail, len(known)) if kind == "expanded" else tail
        tails = (tail, 1 - tail)
    low, high = np.quantile(estimates, tails)
    return float(low), float(high)


def _expanded(tail: float, units: int) -> float:
    """Below 5 units the tail would hold no resample: it is kept at `NARROWEST`."""
    if units < 2:
        return tail
    student = special.stdtrit(units - 1, tail)
    wider = float(special.ndtr(student * math.sqrt(units / (units - 1))))
    return max(wider, min(tail, NARROWEST))


def _corrected(estimates: Array, point: float, units: Array, tail: float) -> tuple[float, float]:
    """The tails of BCa, with the acceleration of the jackknife over the units."""
    slack = 1e-12 * max(1.0, abs(point))
    below = np.mean(estimates < point - slack) + np.mean(np.abs(estimates - point) <= slack) / 2
    if not 0 < below < 1:
        return tail, 1 - tail
    bias = special.ndtri(below)
    away = units - units.mean()
    spread = float((away**2).sum())
    pull = float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + special.ndtri(np.array([tail, 1 - tail]))
    low, high = special.ndtr(bias + shifted / (1 - pull * shifted))
    return float(low), float(high)
