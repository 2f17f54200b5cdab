"""From bootstrap estimates to an interval: expanded percentile, percentile, or BCa."""

import math
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.arrays import Array
from voxbench.stats.few import Spread

Kind = Literal["expanded", "percentile", "bca"]
LEVEL = 0.95
NARROWEST = 5e-4  # a tail of 10,000 resamples that still holds a few of them


class Interval(NamedTuple):
    """A mean with its interval."""

    mean: float
    low: float
    high: float

    def within(self, least: float, most: float) -> "Interval":
        """The interval without what is impossible."""
        return Interval(self.mean, *(float(np.clip(end, least, most)) for end in self[1:]))


def bounds(
    estimates: Array,
    point: Array,
    units: Array,
    kind: Kind = "expanded",
    level: float = LEVEL,
    known: Spread | None = None,
) -> tuple[Array, Array]:
    """Lower and upper bound of each column.

    Percentile intervals of a mean are too narrow for few units: a resample has (n − 1)/n of the
    variance, and the normal tail where Student's is due (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). The default stretches them: where the variance of the mean
    is `known`, on both sides by one factor, so that it would be Student's interval for normal data;
    over tasks by taking percentiles further out. BCa corrects for bias and skewness (Efron 1987,
    doi:10.1080/01621459.1987.10478410), not for few units.

    Args:
        estimates: (resample, column), NaN where a resample has none.
        point: the statistic itself, (column,).
        units: its value for each patient, or for each task if there are several, (unit, column),
            NaN where undefined.
        kind: of the interval.
        level: of confidence.
        known: variance of each point; None over several tasks.
    """
    tail = (1 - level) / 2
    pairs = []
    for i in range(estimates.shape[1]):
        drawn = estimates[:, i]
        drawn = drawn if np.isfinite(drawn.sum()) else drawn[~np.isnan(drawn)]
        if not drawn.size:
            pairs.append((math.nan, math.nan))
            continue
        tails = _tails(drawn, float(point[i]), units[:, i], kind, tail, known is None)
        low, high = np.quantile(drawn, tails)
        if known and kind == "expanded":
            factor = _factor(drawn, known.reach(i, tail), tail)
            low, high = (float(point[i] + factor * (end - point[i])) for end in (low, high))
        pairs.append((float(low), float(high)))
    lows, highs = np.array(pairs).reshape(-1, 2).T
    return lows, highs


def _tails(
    drawn: Array, point: float, units: Array, kind: Kind, tail: float, outward: bool
) -> tuple[float, float]:
    """The percentiles that bound the interval, before any stretching."""
    defined = units[~np.isnan(units)]
    if kind == "bca":
        return _corrected(drawn, point, defined, tail)
    if kind == "expanded" and outward:
        tail = _further(tail, len(defined))
    return tail, 1 - tail


def _factor(drawn: Array, reach: float, tail: float) -> float:
    """How much further Student's interval reaches than the normal one of the draws."""
    spread = float(drawn.std())
    if spread <= 1e-12 * max(1.0, abs(float(drawn.mean()))):
        return 1.0
    return reach / (spread * -float(special.ndtri(tail)))


def _further(tail: float, units: int) -> float:
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
