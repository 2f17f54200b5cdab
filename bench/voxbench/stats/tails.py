"""Both outer quantiles of many resamples at once."""

import numpy as np

from voxbench.compiled import compiled
from voxbench.stats.arrays import Array

_INNER = 1.75  # deviations from the centre; beyond them lie 4% of a normal on either side


def outer_quantiles(drawn: Array, centre: Array, spread: Array, tail: float) -> tuple[Array, Array]:
    """The quantiles `tail` and 1 − `tail` of each row, those of `np.quantile` to the last digit.

    Only what lies far out is looked through, a few percent; where a row has too little there, all.

    Args:
        drawn: (row, resample), without NaN.
        centre: about the middle of each row, (row,).
        spread: about its standard deviation, (row,).
        tail: below ½.

    Returns:
        The lower and the upper ones, each (row,).
    """
    places = (drawn.shape[1] - 1) * np.array([tail, 1 - tail])
    ranks = np.floor(places)
    (low, low_next), (high, high_next) = _outer(
        drawn, centre, _INNER * spread, *ranks.astype(int).tolist()
    )
    first, second = places - ranks
    return _between(low, low_next, first), _between(high, high_next, second)


def _between(one: Array, other: Array, share: float) -> Array:
    """Linear interpolation as `np.quantile` does it, to the last digit."""
    apart = other - one
    return one + apart * share if share < 0.5 else other - apart * (1 - share)


@compiled
def _outer(drawn: Array, centre: Array, reach: Array, low: int, high: int) -> Array:
    """The values of two ranks of each row and those above them, (2, 2, row)."""
    rows, size = drawn.shape
    found = np.empty((2, 2, rows))
    below, above = np.empty(size), np.empty(size)
    for row in range(rows):
        least, largest = centre[row] - reach[row], centre[row] + reach[row]
        lower, upper = 0, 0
        for value in drawn[row]:  # without a branch: what lies far out is hard to foresee
            below[lower], above[upper] = value, value
            lower += value < least
            upper += value > largest
        start = high - (size - upper)
        enough = lower > low + 1 and start >= 0
        first, last = (below[:lower], above[:upper]) if enough else (drawn[row], drawn[row])
        found[0, 0, row], found[0, 1, row] = _neighbours(first, low)
        found[1, 0, row], found[1, 1, row] = _neighbours(last, start if enough else high)
    return found


@compiled
def _neighbours(values: Array, rank: int) -> tuple[float, float]:
    """The value of a rank, and the next above it, if there is one."""
    parted = np.partition(values, rank)
    return parted[rank], parted[rank + 1 :].min() if rank + 1 < len(parted) else parted[rank]
