"""How sure a mean over few patients and few training runs can be: its variance and freedom.

Patients and runs are crossed. With variances P of patients, L of the luck that a run gives to all
patients, and N of the noise of single trainings on single patients, the mean over n patients and m
runs has the variance P/n + L/m + N/(nm). The spread of the patients' means shows P/n + N/(nm), that
of the runs' means L/m + N/(nm): the noise is in both, and their sum counts it twice. It is taken
off the patients, of whom there are many, and left with the runs, whose few degrees of freedom the
interval then pays for. Taken off the runs it would be as unbiased, but a few runs that happen to
agree would pass for runs without luck, and two equal arms be told apart 7% of the time.

For normal data, any P, L and N, and 10 to 100 patients, the 95% interval holds the truth in
94–98% with 2 runs, 94.7–97.5% with 3, 95–97% with 5 or more; more than 95% where patients and runs
matter alike. `tests/benchmarks/calibration.py` shows it for scores like Dice.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special
from scipy.optimize import brentq

from voxbench.stats.arrays import Array, nanmean

_NARROWEST = 0.5  # of the interval of the patients alone: few runs may agree by chance
_LEAST = 1e-9
_LOG_LEAST, _LOG_HALF = math.log(_LEAST), math.log(0.5)


class Spread(NamedTuple):
    """Variance of a mean as patients show it and as runs do, with degrees of freedom, each (arm,).

    `noise` is the variance by the noise of single trainings, which is in both.
    """

    patients: Array
    patients_freedom: Array
    runs: Array
    runs_freedom: Array
    noise: Array

    def reach(self, arm: int, tail: float) -> float:
        """How far the interval of a normal mean reaches to either side.

        Student's quantile is the mean of those of patients and of runs, weighed by their variances
        (Cochran & Cox 1950, «Experimental Designs»).
        """
        alone, freedom = float(self.patients[arm]), self.patients_freedom[arm]
        parts = np.array([max(0.0, alone - float(self.noise[arm])), float(self.runs[arm])])
        student = -special.stdtrit(np.array([freedom, self.runs_freedom[arm]]), tail)
        narrowest = _NARROWEST * math.sqrt(alone) * float(student[0])
        total = float(parts.sum())
        if total <= 0:
            return narrowest
        return max(narrowest, float(student @ parts) / math.sqrt(total))

    def p(self, arm: int, distance: float) -> float:
        """Two-sided p of a normal mean that lies so far away: where the interval just reaches."""
        if self.reach(arm, _LEAST) <= distance:
            return 2 * _LEAST
        tail = brentq(lambda log: self.reach(arm, math.exp(log)) - distance, _LOG_LEAST, _LOG_HALF)
        return 2 * math.exp(tail)


def spread(values: Array, draws: tuple[int, ...]) -> Spread:
    """The variance of the mean over patients and runs, (arm, patient, run).

    Runs of one draw are averaged where draws differ: the draws are then the runs.
    """
    levels = sorted(set(draws))
    if len(levels) > 1:
        of = np.array(draws)
        values = np.stack([nanmean(values[:, :, of == draw], axis=2) for draw in levels], axis=2)
    by_patient, by_run = nanmean(values, axis=2), nanmean(values, axis=1)
    return Spread(*_variance(by_patient), *_variance(by_run), _noise(values, by_patient, by_run))


def _variance(means: Array) -> tuple[Array, Array]:
    """Of the mean of each row, (arm,), 0 where there is one value; and its degrees of freedom."""
    known = (~np.isnan(means)).sum(axis=1)
    squares = np.nansum((means - nanmean(means, axis=1)[:, None]) ** 2, axis=1)
    freedom = np.maximum(known - 1, 1).astype(np.float64)
    return squares / freedom / np.maximum(known, 1), freedom


def _noise(values: Array, by_patient: Array, by_run: Array) -> Array:
    """What is left of the values when patients and runs are taken out, as variance of the mean."""
    known = ~np.isnan(values)
    middle = nanmean(by_patient, axis=1)[:, None, None]
    rest = values - by_patient[:, :, None] - by_run[:, None, :] + middle
    people, runs = known.any(axis=2).sum(axis=1), known.any(axis=1).sum(axis=1)
    cells = known.sum(axis=(1, 2))
    freedom = np.maximum(cells - people - runs + 1, 1)
    variance: Array = np.nansum(rest**2, axis=(1, 2)) / freedom / np.maximum(cells, 1)
    return variance
