"""Do several arms differ at all, and which? Friedman's test and Nemenyi's critical difference."""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

from voxbench.stats.arrays import Array
from voxbench.stats.interval import ALPHA
from voxbench.stats.ranks import ranks, stretches


class Friedman(NamedTuple):
    """Friedman's test on blocks that all arms have, and Nemenyi's comparison of mean ranks.

    Attributes:
        blocks: patients (or tasks) without a gap; left_out: those with one.
        statistic, p: of the test, corrected for ties.
        ranks: mean rank of each arm, 1 is best, (arm,).
        critical: difference of mean ranks from which two arms differ at 5%.
        groups: arms of each stretch within the critical difference, best first.
    """

    blocks: int
    left_out: int
    statistic: float
    p: float
    ranks: Array
    critical: float
    groups: list[list[int]]


def friedman(values: Array, sign: int = 1) -> Friedman | None:
    """Compare arms over blocks, (block, arm); None with fewer than 3 arms or 2 complete blocks.

    Friedman 1937, doi:10.1080/01621459.1937.10503522; the critical difference as in Demšar 2006
    (jmlr.org/papers/v7/demsar06a.html).
    """
    complete = ~np.isnan(values).any(axis=1)
    blocks, arms = int(complete.sum()), values.shape[1]
    if arms < 3 or blocks < 2:
        return None
    by_block = ranks(sign * values[complete])
    mean = by_block.mean(axis=0)
    same = bool((by_block == by_block[:, :1]).all())
    statistic, p = (0.0, 1.0) if same else stats.friedmanchisquare(*by_block.T)
    unit = math.sqrt(arms * (arms + 1) / (12 * blocks))  # of the studentised range of mean ranks
    critical = float(stats.studentized_range.isf(ALPHA, arms, np.inf)) * unit
    order = np.argsort(mean, kind="stable")
    tied = stretches(arms, lambda i, j: abs(mean[order[i]] - mean[order[j]]) < critical)
    return Friedman(
        blocks, int((~complete).sum()), float(statistic), float(p), mean, critical,
        [[int(arm) for arm in order[first : last + 1]] for first, last in tied],
    )  # fmt: skip
