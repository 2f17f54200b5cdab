"""Arrays of scores, in which NaN is undefined."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def defined(values: Array) -> NDArray[np.intp]:
    """How many values of each column are defined, (column,)."""
    count: NDArray[np.intp] = (~np.isnan(values)).sum(axis=0)
    return count


def nanmean(values: Array, axis: int) -> Array:
    """Mean over the defined values; NaN, without a warning, where there is none."""
    known = ~np.isnan(values)
    if values.shape[axis] and known.all():  # the same bits, in half of the time
        whole: Array = values.copy(order="K").sum(axis) / values.shape[axis]
        return whole
    count = known.sum(axis)
    total = np.where(known, values, 0.0).sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
