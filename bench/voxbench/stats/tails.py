"""Both outer quantiles of many resamples at once."""

import numpy as np

from voxbench.compiled import compiled
from voxbench.stats.arrays import Array

_INNER = 1.75  # deviations from the centre; beyond them lie 4% of a normal on either side


def outer_quantiles(drawn: Array, centre: Array, spread: Array, tail: float) -> tuple[Array, Array]:
    """The quantiles `tail` and 1 − `tail` of each row, those of `np.quantile` to the last digit.

    Only what lies far out is sorted, which is a few percent; a row that has too little there is
    sorted whole.

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
        for value in drawn[row]:
            if value < least:
                below[lower] = value
                lower += 1
            elif value > largest:
                above[upper] = value
                upper += 1
        if lower < low + 2 or upper < size - high:
            whole = np.sort(drawn[row])
            found[0, :, row] = whole[low : low + 2]
            found[1, 0, row], found[1, 1, row] = whole[high], whole[min(high + 1, size - 1)]
            continue
        found[0, :, row] = np.sort(below[:lower])[low : low + 2]
        start = high - (size - upper)
        top = np.sort(above[:upper])
        found[1, 0, row], found[1, 1, row] = top[start], top[min(start + 1, upper - 1)]
    return found
