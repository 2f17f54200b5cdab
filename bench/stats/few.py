"""How sure a mean over few patients and few training runs can be: its variance and freedom."""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from bench.stats.counts import Array
from bench.stats.frame import nanmean


class Spread(NamedTuple):
    """Variance of a mean over patients and over runs, with degrees of freedom, each (arm,)."""

    patients: Array
    patients_freedom: Array
    runs: Array
    runs_freedom: Array

    def reach(self, arm: int, tail: float) -> float:
        """How far the interval of a normal mean reaches to either side.

        Student's quantile is the mean of those of patients and of runs, weighed by their variances
        (Cochran & Cox 1950, «Experimental Designs»). Satterthwaite's single number of degrees of
                freedom names too many winners where few runs share much luck: 6% with 3 runs.
        """
        parts = np.array([self.patients[arm], self.runs[arm]])
        total = float(parts.sum())
        if total <= 0:
            return 0.0
        freedom = np.array([self.patients_freedom[arm], self.runs_freedom[arm]])
        student = -special.stdtrit(freedom, tail)
        return math.sqrt(total) * float(student @ parts) / total


def spread(values: Array, draws: tuple[int, ...]) -> Spread:
    """The variance of the mean over patients and runs, (arm, patient, run).

    The sum of that of the patients' means and that of the runs' means, which holds the luck that a
    run gives to all patients. Both hold the noise of single trainings: without such luck the sum
    is too large, never too small (Owen 2007). Subtracting the noise would be unbiased, but a few
    runs that happen to agree would then pass for certainty. Runs of one draw are averaged where
    draws differ.
    """
    levels = sorted(set(draws))
    if len(levels) > 1:
        of = np.array(draws)
        values = np.stack([nanmean(values[:, :, of == draw], axis=2) for draw in levels], axis=2)
    return Spread(*_variance(nanmean(values, axis=2)), *_variance(nanmean(values, axis=1)))


def _variance(means: Array) -> tuple[Array, Array]:
    """Of the mean of each row, (arm,), 0 where there is one value; and its degrees of freedom."""
    known = (~np.isnan(means)).sum(axis=1)
    squares = np.nansum((means - nanmean(means, axis=1)[:, None]) ** 2, axis=1)
    freedom = np.maximum(known - 1, 1).astype(np.float64)
    return squares / freedom / np.maximum(known, 1), freedom
