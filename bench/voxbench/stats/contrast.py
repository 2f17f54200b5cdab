"""Whether an effect differs between two groups of patients."""

import numpy as np
from scipy import stats

from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.interval import LEVEL, Interval
from voxbench.stats.student import Spread, spread


def contrast(one: Sample, other: Sample) -> tuple[Interval, float]:
    """The effect in one group minus that in another that shares its runs, and its p.

    The interval is Student's on patients and runs: luck that a run gives to both groups cancels,
    and the degrees of freedom of the patients are Welch's. P is the larger of its and of Mann and
    Whitney's on the patients' effects.

    Args:
        one: effects, (patient, run), each patient with a value.
        other: the same of other patients.
    """
    means = [nanmean(sample.values, axis=1) for sample in (one, other)]
    difference = float(means[0].mean() - means[1].mean())
    sides = [spread(sample.values[None], sample.draws) for sample in (one, other)]
    runs = nanmean(one.values, axis=0) - nanmean(other.values, axis=0)
    shared = spread(runs[None, None], one.draws)
    patients = sides[0].patients + sides[1].patients
    parts = [side.patients**2 / side.patients_freedom for side in sides]
    freedom = np.divide(
        patients**2, sum(parts), out=sides[0].patients_freedom.copy(), where=patients > 0
    )
    sure = Spread(
        patients, freedom, shared.runs, shared.runs_freedom, sides[0].noise + sides[1].noise
    )
    reach = sure.reach(0, (1 - LEVEL) / 2)
    if not difference:
        return Interval(difference, -reach, reach), 1.0
    p = float(stats.mannwhitneyu(*means).pvalue)
    interval = Interval(difference, difference - reach, difference + reach)
    return interval, max(p, sure.p(0, abs(difference)))
