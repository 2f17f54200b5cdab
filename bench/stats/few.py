"""How sure a mean over few patients and few training runs can be: its variance and freedom."""

from typing import NamedTuple

import numpy as np

from bench.stats.counts import Array
from bench.stats.frame import nanmean


class Spread(NamedTuple):
    """Variance of a mean, and the degrees of freedom of that estimate, each (arm,)."""

    variance: Array
    freedom: Array


def spread(values: Array, draws: tuple[int, ...]) -> Spread:
    """The variance of the mean over patients and runs, (arm, patient, run).

    The sum of that of the patients' means and that of the runs' means, which holds the luck that a
    run gives to all patients. Both hold the noise of single trainings: without such luck the sum
    is too large, never too small (Owen 2007). Subtracting the noise would be unbiased, but a few
    runs that happen to agree would then pass for certainty. Degrees of freedom are Satterthwaite's
    (1946, doi:10.2307/3002019). Runs of one draw are averaged where draws differ.
    """
    levels = sorted(set(draws))
    if len(levels) > 1:
        of = np.array(draws)
        values = np.stack([nanmean(values[:, :, of == draw], axis=2) for draw in levels], axis=2)
    of_patients, patients = _variance(nanmean(values, axis=2))
    of_runs, runs = _variance(nanmean(values, axis=1))
    total = of_patients + of_runs
    uncertain = of_patients**2 / patients + of_runs**2 / runs
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(uncertain > 0, total**2 / uncertain, patients)
    return Spread(total, freedom)


def _variance(means: Array) -> tuple[Array, Array]:
    """Of the mean of each row, (arm,), 0 where there is one value; and its degrees of freedom."""
    known = (~np.isnan(means)).sum(axis=1)
    squares = np.nansum((means - nanmean(means, axis=1)[:, None]) ** 2, axis=1)
    freedom = np.maximum(known - 1, 1).astype(np.float64)
    return squares / freedom / np.maximum(known, 1), freedom
