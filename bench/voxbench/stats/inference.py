"""From bootstrap estimates to intervals and p: one rule for both, at any level."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxbench.stats.arrays import Array, defined, nanmean
from voxbench.stats.interval import FEWEST_TASKS, TAILS, Interval
from voxbench.stats.student import Spread
from voxbench.stats.tails import outer_quantiles

_NARROWEST_TAIL = 5e-4  # of 10,000 resamples that still holds a few of them


class Inference(NamedTuple):
    """Means, and what their intervals and tests are made of; each (column,).

    An interval reaches as far as Student's would, on either side as skewed as the bootstrap is;
    p is where it ends. So an interval of level 1 − p ends at the value that is tested, and no test
    contradicts an interval.

    Attributes:
        mean: the estimates; NaN where there is none.
        below, above: how far the bootstrap reaches to either side, as a share of a normal one.
        known: variance of the means.
    """

    mean: Array
    below: Array
    above: Array
    known: Spread

    def intervals(self, family: int = 1) -> list[Interval]:
        """Of 95%; all of them hold at once where `family` counts all that are looked at.

        Bonferroni's: a tail of 2.5% is shared by the family.
        """
        reach = self.known.reach(TAILS[0] / max(1, family))
        low, high = self.mean - self.below * reach, self.mean + self.above * reach
        return [Interval.of(*ends) for ends in zip(self.mean, low, high, strict=True)]

    def p(self, bound: float = 0.0) -> Array:
        """Two-sided p of each mean against a bound; NaN where nothing is known of its spread."""
        away = self.mean - bound
        return self.known.p(np.abs(away) / np.where(away > 0, self.below, self.above))


class Judged(NamedTuple):
    """A mean as one of a family.

    Attributes:
        together: its interval, of 95% for all of the family at once (Bonferroni).
        alone: its 95% interval.
        p: two-sided, against 0: below 0.05 where the interval alone excludes it.
        p_adjusted: times the family: below 0.05 where the interval together with the others
            excludes 0, which no stepwise correction gives.
    """

    together: Interval
    alone: Interval
    p: float
    p_adjusted: float


def judge(found: Inference) -> list[Judged]:
    """Each mean as one of a family, which is all that have a test."""
    p = found.p()
    family = int(defined(p))
    rows = zip(found.intervals(family), found.intervals(), p, family * p, strict=True)
    return [
        Judged(together, alone, float(own), float(np.minimum(1.0, adjusted)))
        for together, alone, own, adjusted in rows
    ]


def joined(parts: Sequence[Inference]) -> Inference:
    """Several as the columns of one."""
    if not parts:
        none = np.empty(0)
        return Inference(none, none, none, Spread(none, none, none, none, none))
    fields = zip(*((*part[:3], *part.known) for part in parts), strict=True)
    mean, below, above, *known = map(np.concatenate, fields)
    return Inference(mean, below, above, Spread(*known))


def split(found: Inference) -> list[Inference]:
    """Each column as one of its own: what `joined` joins."""
    mean, below, above, known = found
    return [
        Inference(mean[at], below[at], above[at], Spread(*(part[at] for part in known)))
        for at in (slice(column, column + 1) for column in range(len(mean)))
    ]


_UNKNOWN = np.array([math.nan])
NOTHING = Inference(_UNKNOWN, _UNKNOWN, _UNKNOWN, Spread(*[_UNKNOWN] * 5))


def infer(drawn: Array, mean: Array, known: Spread) -> Inference:
    """Of means over patients and runs of one task.

    Args:
        drawn: estimates, (resample, column), NaN where a resample has none.
        mean: the estimates themselves, (column,).
        known: their variance.
    """
    moves = (known.patients != 0) | (known.runs != 0)
    if moves.all():
        return Inference(mean, *_skews(drawn, mean), known)
    below, above = np.ones(len(mean)), np.ones(len(mean))
    below[moves], above[moves] = _skews(drawn[:, moves], mean[moves])
    return Inference(mean, below, above, known)


def _skews(drawn: Array, mean: Array) -> tuple[Array, Array]:
    """`_skew` of each column; a resample without an estimate is left out of its own."""
    undefined = np.isnan(drawn)
    if not undefined.any():
        return _skew(np.ascontiguousarray(drawn.T), mean)
    nothing = undefined.any(axis=1)
    if (nothing == undefined.all(axis=1)).all():
        return _skew(np.ascontiguousarray(drawn[~nothing].T), mean)
    parts = [
        _skew(own[None, ~lacking], mean[at, None])
        for at, (own, lacking) in enumerate(zip(drawn.T, undefined.T, strict=True))
    ]
    below, above = np.array(parts).reshape(-1, 2).T
    return below, above


def infer_over_tasks(points: Array) -> Inference:
    """Of means over tasks: Student's over tasks, and nothing is known below three of them.

    Args:
        points: estimates, (task, column), NaN where a task has none.
    """
    tasks = defined(points)
    mean = nanmean(points, axis=0)
    freedom = np.maximum(tasks - 1, 1).astype(np.float64)
    squares = np.nansum((points - mean) ** 2, axis=0)
    variance = np.where(tasks < FEWEST_TASKS, np.nan, squares / freedom / np.maximum(tasks, 1))
    nothing, one = np.zeros(len(mean)), np.ones(len(mean))
    return Inference(mean, one, one, Spread(variance, freedom, nothing, one, nothing))


def percentiles_of(estimates: Array, point: Array, units: NDArray[np.intp]) -> list[Interval]:
    """Expanded percentile intervals of each column, where no variance is known.

    Percentile intervals are too narrow for few units: a resample has (n − 1)/n of the variance, and
    the normal tail where Student's is due (Hesterberg 2015, doi:10.1080/00031305.2015.1089789).
    Percentiles further out are taken.

    Args:
        estimates: (resample, column), NaN where a resample has none.
        point: the statistic itself, (column,).
        units: with a value, (column,).
    """
    found = []
    for drawn, mean, count in zip(estimates.T, point, units, strict=True):
        known = drawn[~np.isnan(drawn)]
        outer = _further(TAILS[0], int(count))
        ends = np.quantile(known, (outer, 1 - outer)) if known.size else (math.nan, math.nan)
        found.append(Interval.of(mean, *ends))
    return found


def _skew(drawn: Array, mean: Array) -> tuple[Array, Array]:
    """How far the 95% percentiles lie from a mean, by those of a normal of the same spread.

    Args:
        drawn: its estimates, (column, resample).
        mean: the estimates themselves.

    Returns:
        To either side, (column,); 1 where the resamples do not differ.
    """
    if not drawn.size:
        return np.ones(len(drawn)), np.ones(len(drawn))
    spread = drawn.std(axis=1)
    still = spread <= 1e-12 * np.maximum(1.0, np.abs(mean))
    below, above = np.ones(len(drawn)), np.ones(len(drawn))
    if still.all():
        return below, above
    moved, middle = (drawn, mean) if not still.any() else (drawn[~still], mean[~still])
    low, high = outer_quantiles(moved, middle, spread[~still], TAILS[0])
    normal = spread[~still] * -float(special.ndtri(TAILS[0]))
    below[~still], above[~still] = (middle - low) / normal, (high - middle) / normal
    return below, above


def _further(tail: float, units: int) -> float:
    """Below 5 units the tail would hold no resample: it is kept at `_NARROWEST_TAIL`."""
    if units < 2:
        return tail
    student = special.stdtrit(units - 1, tail)
    wider = float(special.ndtr(student * math.sqrt(units / (units - 1))))
    return max(wider, min(tail, _NARROWEST_TAIL))
