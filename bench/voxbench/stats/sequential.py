"""Sequential tests: a verdict after every training, without naming too many winners.

Testing again after each training would find differences that are not there: each test is another
chance. So the error of 5% is divided over these interim analyses before the first of them: that
after k of K trainings may spend (k/K)³ − ((k−1)/K)³ of it, the power family of Kim & DeMets (1987,
doi:10.1093/biomet/74.1.149): little early, where two or three trainings say little, and most at
the end. Each adds trainings on the *same* patients, whose own luck never shrinks, so they depend on
each other in no simple way. The shares are therefore added up (Bonferroni over analyses), which
holds for any dependence and any rule of stopping.

- A winner needs p / share below Holm's threshold over the declared family, at some analysis. That p
  is the larger of two: of the signed-rank test over patients, and of the interval over patients and
  trainings, so that neither the patients' nor the seeds' luck passes for an effect. Unlike in the
  report, Holm's correction reaches the interval too.
- Equivalence needs the interval of level 1 − 0.05 × share inside ±margin: as in the report, each
  comparison for itself.
- The interval is the report's, but never narrower than Student's over the trainings alone. So far
  out in the tails the former trusts two or three trainings that happen to agree: with much luck of
  seeds and 100 patients it named a winner in 5.4% of the families.

The first analysis that settles a comparison stands. tests/benchmarks/racing.py shows that the error
is kept, and what a race saves.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.paired import ALPHA, FEWEST_PATIENTS, holm, wilcoxon
from voxbench.stats.student import Spread, spread

FIRST_INTERIM = 2  # trainings before which nothing is known of the spread between them


class Interim(NamedTuple):
    """What is seen of a comparison after some of its trainings.

    Attributes:
        runs: so many.
        share: of the error that this analysis may spend.
        effect: arm − twin.
        low, high: its interval of level 1 − 0.05 × share.
        p: two-sided, of the interval or of the signed-rank test, whichever is larger; divided by
            the share, and at most 1.
        equivalent: the interval lies inside the margin.
    """

    runs: int
    share: float
    effect: float
    low: float
    high: float
    p: float
    equivalent: bool


class Decision(NamedTuple):
    """What is known of a comparison after some interim analyses.

    Attributes:
        verdict: better, worse, equivalent or undecided.
        interim: the one that settled it, else the last; None before the first.
        p: the smallest p of the analyses so far.
        p_holm: the same by Holm over the family.
    """

    verdict: str
    interim: Interim | None
    p: float
    p_holm: float


def error_shares(runs: int) -> list[float]:
    """What each analysis may spend of the error, from that after 2 trainings to that after all.

    What one after the first training would spend falls to the second's.
    """
    times = np.arange(FIRST_INTERIM, runs + 1) / runs
    spent: list[float] = np.diff(times**3, prepend=0.0).tolist()
    return spent


def interims(sample: Sample, shares: Sequence[float], margin: float) -> list[Interim]:
    """The interim analyses of differences, (patient, run), with trainings in the declared order."""
    most = min(sample.values.shape[1], len(shares) + FIRST_INTERIM - 1)
    parts = [
        Sample(sample.values[:, :runs], sample.draws[:runs])
        for runs in range(FIRST_INTERIM, most + 1)
    ]
    return [_interim(part, share, margin) for part, share in zip(parts, shares, strict=False)]


def _interim(sample: Sample, share: float, margin: float) -> Interim:
    patients = nanmean(sample.values, axis=1)
    known = spread(sample.values[None], sample.draws)
    effect = float(nanmean(patients, axis=0))
    runs = sample.values.shape[1]
    if (~np.isnan(patients)).sum() < FEWEST_PATIENTS:
        return Interim(runs, share, effect, math.nan, math.nan, 1.0, False)
    reach = _reach(known, ALPHA * share / 2)
    low, high = effect - reach, effect + reach
    p = _p(known, effect, patients, share)
    return Interim(runs, share, effect, low, high, p, -margin < low and high < margin)


def _reach(known: Spread, tail: float) -> float:
    """How far the interval reaches: as in the report, and no less than Student's over trainings."""
    student = -float(special.stdtrit(known.runs_freedom[0], tail)) * math.sqrt(known.runs[0])
    return max(known.reach(0, tail), student)


def _p(known: Spread, effect: float, patients: Array, share: float) -> float:
    distance = abs(effect)
    if distance == 0 or _reach(known, share / 2) >= distance:
        return 1.0
    over_runs = math.sqrt(known.runs[0]) / distance
    student = 2 * float(special.stdtr(known.runs_freedom[0], -1 / over_runs)) if over_runs else 0.0
    return min(1.0, max(known.p(0, distance), student, wilcoxon(patients)) / share)


def decide(family: Sequence[Sequence[Interim]], sign: int = 1) -> list[Decision]:
    """What is known of each comparison of the declared family, from its analyses so far.

    Args:
        family: the analyses of each comparison; those that have none yet count in the family.
        sign: +1 where more is better, −1 where less is.
    """
    p = [min((1.0, *(interim.p for interim in seen))) for seen in family]
    return [
        _decision(seen, own, holmed, sum(other >= own for other in p), sign)
        for seen, own, holmed in zip(family, p, holm(p), strict=True)
    ]


def _decision(seen: Sequence[Interim], p: float, p_holm: float, rivals: int, sign: int) -> Decision:
    for interim in seen:
        if interim.equivalent:
            return Decision("equivalent", interim, p, p_holm)
        if p_holm < ALPHA and rivals * interim.p < ALPHA:
            word = "better" if interim.effect * sign > 0 else "worse"
            return Decision(word, interim, p, p_holm)
    return Decision("undecided", seen[-1] if seen else None, p, p_holm)
