"""Intervals over patients, of figures that are no means: a patient is drawn with all cases."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from voxbench.stats.counts import patient_counts
from voxbench.stats.inference import percentiles_of
from voxbench.stats.interval import Interval

RESAMPLES = 1000  # each sorts all cases anew


def over_patients(
    figure: Callable[[NDArray[np.intp]], Sequence[float]],
    patients: Sequence[str],
    resamples: int = RESAMPLES,
) -> list[Interval]:
    """Figures of all cases with their 95% intervals, by the bootstrap over patients.

    Args:
        figure: from places of cases, which may repeat, to figures; NaN is undefined there.
        patients: of each case, (case,); of one patient there is no interval.
        resamples: of the patients.
    """
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    cases = np.arange(len(owner))
    point = np.array(figure(cases), np.float64)
    if len(names) < 2:
        return [Interval(float(value), math.nan, math.nan) for value in point]
    times = patient_counts(len(names), 1, 0, resamples)[:, owner].astype(np.intp)
    drawn = np.array([figure(np.repeat(cases, row)) for row in times], np.float64)
    return percentiles_of(drawn, point, np.full(len(point), len(names)))
