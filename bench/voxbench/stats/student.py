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

from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.arrays import Array, nanmean

_NARROWEST = 0.5  # of the interval of the patients alone: few runs may agree by chance
_LEAST = 1e-12  # tail
_HALVINGS = 60


class Spread(NamedTuple):
    """Variance of a mean as patients show it and as runs do, with degrees of freedom, each (arm,).

    `noise` is the variance by the noise of single trainings, which is in both.
    """

    patients: Array
    patients_freedom: Array
    runs: Array
    runs_freedom: Array
    noise: Array

    def reach(self, tail: float | Array) -> Array:
        """How far the interval of a normal mean reaches to either side, (arm,).

        Student's quantile is the mean of those of patients and of runs, weighed by their variances
        (Cochran & Cox 1950, «Experimental Designs»). No interval is narrower than Student's over
        the runs alone: far out in the tails, where families of many comparisons are decided, the
        mean would trust two or three runs that happen to agree.

        Args:
            tail: probability beyond either end; one, or (arm,).
        """
        own = np.sqrt(self.patients) * -special.stdtrit(self.patients_freedom, tail)
        shared = np.sqrt(self.runs) * -special.stdtrit(self.runs_freedom, tail)
        reach: Array = np.maximum(np.maximum(_NARROWEST * own, shared), self._weighed(tail))
        return reach

    def _weighed(self, tail: float | Array) -> Array:
        people, total = self._parts
        student = people * -special.stdtrit(self.patients_freedom, tail)
        student = student - self.runs * special.stdtrit(self.runs_freedom, tail)
        reach: Array = student / np.sqrt(np.where(total > 0, total, 1.0))
        return reach

    @property
    def _parts(self) -> tuple[Array, Array]:
        """Variance by patients without the noise, and that with the runs'."""
        people = np.maximum(0.0, self.patients - self.noise)
        return people, people + self.runs

    def p(self, distance: Array) -> Array:
        """Two-sided p of normal means that lie so far away, (arm,): where the interval ends there.

        1 where the distance is 0, NaN where it is undefined or one patient shows no spread.
        """
        p: Array = np.where(np.isnan(distance + self.patients), np.nan, 1.0)
        apart = (distance > 0) & ~np.isnan(p)
        if apart.any():
            p[apart] = Spread(*(part[apart] for part in self))._tails(distance[apart])
        return p

    def _tails(self, distance: Array) -> Array:
        """The same p, of what lies apart."""
        with np.errstate(divide="ignore"):
            own = special.stdtr(
                self.patients_freedom, -distance / (_NARROWEST * np.sqrt(self.patients))
            )
            shared = special.stdtr(self.runs_freedom, -distance / np.sqrt(self.runs))
        low, high = np.full(len(distance), np.log(_LEAST)), np.full(len(distance), np.log(0.5))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            short = self._weighed(np.exp(middle)) < distance
            low, high = np.where(short, low, middle), np.where(short, middle, high)
        tails = np.fmax(np.fmax(own, shared), np.exp(high))
        p: Array = np.minimum(2 * np.maximum(tails, _LEAST), 1.0)
        return p


def spread(values: Array, draws: tuple[int, ...]) -> Spread:
    """The variance of the mean over patients and runs, (arm, patient, run).

    Runs of one draw are averaged where draws differ: the draws are then the runs. What a single
    patient shows of patients is NaN; what a single run shows of runs is 0.
    """
    levels = sorted(set(draws))
    if len(levels) > 1:
        of = np.array(draws)
        values = np.stack([nanmean(values[:, :, of == draw], axis=2) for draw in levels], axis=2)
    by_patient, by_run = nanmean(values, axis=2), nanmean(values, axis=1)
    patients, freedom = _variance(by_patient)
    one = (~np.isnan(by_patient)).sum(axis=1) < 2
    return Spread(
        np.where(one, np.nan, patients),
        freedom,
        *_variance(by_run),
        _noise(values, by_patient, by_run),
    )


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
