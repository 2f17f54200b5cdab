"""P values of the statement that a mean is beyond a bound, and of several such statements."""

import math
from collections.abc import Sequence

from voxbench.stats.inference import Inference


def p_beyond(found: Inference, bound: float, side: int = 1) -> float:
    """Two-sided p of «the mean is above the bound», or below it where `side` is −1.

    It is the test of the mean's interval over patients and runs: below 0.05 exactly if the 95%
    interval lies beyond the bound; 1 where the mean doesn't, NaN where nothing is known.
    """
    [p] = found.p(bound).tolist()
    [mean] = found.mean.tolist()
    return p if math.isnan(p) or side * (mean - bound) > 0 else 1.0


def p_at_least(p: Sequence[float], count: int) -> float:
    """P of «at least `count` of the statements are true», which for all of them is the largest p.

    n − k + 1 times the kth smallest of n (Benjamini & Heller 2008,
    doi:10.1111/j.1541-0420.2007.00984.x). NaN is no test; NaN if there are too few.
    """
    tested = sorted(value for value in p if not math.isnan(value))
    if len(tested) < count:
        return math.nan
    return min(1.0, (len(tested) - count + 1) * tested[count - 1])
