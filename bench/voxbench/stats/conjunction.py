"""P values of the statement that a mean is beyond a bound, and of several such statements."""

import math
from collections.abc import Sequence

from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.paired import wilcoxon
from voxbench.stats.student import spread


def p_beyond(sample: Sample, bound: float) -> float:
    """Two-sided p of «the mean of the values, (patient, run), is above the bound».

    The larger of Wilcoxon's signed-rank on the patients and of Student's on patients and runs; 1
    where the mean is not above the bound, NaN where there is no value.
    """
    values = sample.values - bound
    by_patient = nanmean(values, axis=1)
    distance = float(nanmean(by_patient, axis=0))
    if not distance > 0:
        return math.nan if math.isnan(distance) else 1.0
    return max(wilcoxon(by_patient), spread(values[None], sample.draws).p(0, distance))


def p_at_least(p: Sequence[float], count: int) -> float:
    """P of «at least `count` of the statements are true», which for all of them is the largest p.

    n − k + 1 times the kth smallest of n (Benjamini & Heller 2008,
    doi:10.1111/j.1541-0420.2007.00984.x). NaN is no test; NaN if there are too few.
    """
    tested = sorted(value for value in p if not math.isnan(value))
    if len(tested) < count:
        return math.nan
    return min(1.0, (len(tested) - count + 1) * tested[count - 1])
