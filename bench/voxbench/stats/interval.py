"""From bootstrap estimates to an interval: expanded percentiles."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxbench.stats.arrays import Array
from voxbench.stats.student import Spread

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
NARROWEST = 5e-4  # a tail of 10,000 resamples that still holds a few of them


class Interval(NamedTuple):
    """A mean with its interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, *values: float | np.floating) -> "Interval":
        """Of numbers of any kind."""
        return cls(*map(float, values))

    def within(self, least: float, most: float) -> "Interval":
        """The interval without what is impossible."""
        return Interval(self.mean, *(float(np.clip(end, least, most)) for end in self[1:]))


UNDEFINED = Interval(math.nan, math.nan, math.nan)


def intervals_of(
    estimates: Array,
    point: Array,
    units: NDArray[np.intp],
    known: Spread | None = None,
) -> list[Interval]:
    """The interval of each column.

    Percentile intervals of a mean are too narrow for few units: a resample has (n − 1)/n of the
    variance, and the normal tail where Student's is due (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). They are stretched: where the variance of the mean is
    `known`, on both sides by one factor, so that it would be Student's interval for normal data;
    over tasks by taking percentiles further out.

    Args:
        estimates: (resample, column), NaN where a resample has none.
        point: the statistic itself, (column,).
        units: tasks with a value, (column,); where the variance is `known`, of no account.
        known: variance of each point; None over several tasks.
    """
    tail = TAILS[0]
    found = []
    for i, mean in enumerate(point):
        drawn = estimates[:, i]
        drawn = drawn if np.isfinite(drawn.sum()) else drawn[~np.isnan(drawn)]
        if not drawn.size:
            found.append(Interval.of(mean, math.nan, math.nan))
            continue
        outer = tail if known else _further(tail, int(units[i]))
        low, high = np.quantile(drawn, (outer, 1 - outer))
        if known:
            factor = _factor(drawn, known.reach(i, tail), tail)
            low, high = (mean + factor * (end - mean) for end in (low, high))
        found.append(Interval.of(mean, low, high))
    return found


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
