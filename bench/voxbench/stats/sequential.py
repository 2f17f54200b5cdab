"""Sequential tests: a verdict after every training, without naming too many winners.

Testing again after each training would find differences that are not there: each test is another
chance. So the error of 5% is divided over these interim analyses before the first of them: that
after k of K trainings may spend (k/K)³ − ((k−1)/K)³ of it, the power family of Kim & DeMets (1987,
doi:10.1093/biomet/74.1.149): little early, where two or three trainings say little, and most at
the end. Each adds trainings on the *same* patients, whose own luck never shrinks, so they depend on
each other in no simple way. The shares are therefore added up (Bonferroni over analyses), which
holds for any dependence and any rule of stopping.

Each analysis decides by one interval of the mean, over patients and trainings, of level
1 − 0.05 × share / family, so that those of all declared comparisons hold at once: a winner's
excludes 0, an equivalent's lies inside ±margin.

The first analysis that settles a comparison stands. tests/benchmarks/racing.py shows that the error
is kept, and what a race saves.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.interval import ALPHA, Interval
from voxbench.stats.paired import FEWEST_PATIENTS, interval_verdict
from voxbench.stats.student import spread

FIRST_INTERIM = 2  # trainings before which nothing is known of the spread between them


class Interim(NamedTuple):
    """What is seen of a comparison after some of its trainings.

    Attributes:
        runs: so many.
        share: of the error that this analysis may spend.
        effect: arm − twin.
        low, high: its interval, of the level that share and family leave.
        p: two-sided, of the mean; divided by the share, and at most 1.
    """

    runs: int
    share: float
    effect: float
    low: float
    high: float
    p: float


class Decision(NamedTuple):
    """What is known of a comparison after some interim analyses.

    Attributes:
        verdict: better, worse, equivalent or undecided.
        interim: the one that settled it, else the last; None before the first.
        p: the smallest p of the analyses so far.
        p_adjusted: the same times the family, and at most 1.
    """

    verdict: str
    interim: Interim | None
    p: float
    p_adjusted: float


def error_shares(runs: int) -> list[float]:
    """What each analysis may spend of the error, from that after 2 trainings to that after all.

    What one after the first training would spend falls to the second's.
    """
    times = np.arange(FIRST_INTERIM, runs + 1) / runs
    spent: list[float] = np.diff(times**3, prepend=0.0).tolist()
    return spent


def interims(sample: Sample, shares: Sequence[float], family: int) -> list[Interim]:
    """The interim analyses of differences, (patient, run), with trainings in the declared order.

    Args:
        sample: the differences.
        shares: of the error, by analysis.
        family: comparisons that were declared.
    """
    most = min(sample.values.shape[1], len(shares) + FIRST_INTERIM - 1)
    parts = [
        Sample(sample.values[:, :runs], sample.draws[:runs])
        for runs in range(FIRST_INTERIM, most + 1)
    ]
    return [
        _interim(part, share, ALPHA / 2 * share / family)
        for part, share in zip(parts, shares, strict=False)
    ]


def _interim(sample: Sample, share: float, tail: float) -> Interim:
    patients = nanmean(sample.values, axis=1)
    known = spread(sample.values[None], sample.draws)
    effect = float(nanmean(patients, axis=0))
    runs = sample.values.shape[1]
    if (~np.isnan(patients)).sum() < FEWEST_PATIENTS:
        return Interim(runs, share, effect, math.nan, math.nan, 1.0)
    [reach] = known.reach(tail).tolist()
    [p] = known.p(np.array([abs(effect)])).tolist()
    return Interim(runs, share, effect, effect - reach, effect + reach, min(1.0, p / share))


def decide(family: Sequence[Sequence[Interim]], margin: float, sign: int = 1) -> list[Decision]:
    """What is known of each comparison of the declared family, from its analyses so far.

    Args:
        family: the analyses of each comparison; those that have none yet count in the family.
        margin: of practical equivalence.
        sign: +1 where more is better, −1 where less is.
    """
    return [_decision(seen, len(family), margin, sign) for seen in family]


def _decision(seen: Sequence[Interim], family: int, margin: float, sign: int) -> Decision:
    p = min((1.0, *(interim.p for interim in seen)))
    adjusted = min(1.0, family * p)
    for interim in seen:
        word = interval_verdict(Interval(interim.effect, interim.low, interim.high), margin, sign)
        if word != "undecided":
            return Decision(word, interim, p, adjusted)
    return Decision("undecided", seen[-1] if seen else None, p, adjusted)
