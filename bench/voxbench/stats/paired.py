"""The signed-rank test on patients, corrections for a family, and the words of a verdict."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voxbench.stats.interval import Interval

EXACT = 200  # patients up to which every pattern of signs is counted
FEWEST_PATIENTS = 6  # below it their spread is a guess

EffectVerdict = Literal["better", "worse", "equivalent", "undecided"]
APART = ("better", "worse", "head start", "behind")
"""The words for two arms of which one is ahead."""


def wilcoxon(differences: NDArray[np.float64]) -> float:
    """Two-sided p of the signed-rank test on one difference a patient, (patient,).

    Exact, given the ranks, up to 200 patients, with ties or without; then normal. Undefined
    patients are left out; zeros are dropped (Wilcoxon 1945, doi:10.2307/3001968). If all
    differences are zero p is 1; without a patient it is NaN. Differences are rounded to 12
    digits, so that rounding errors neither break ties nor make ranks. (SciPy's test agrees, but
    takes seconds where few patients are tied, and is approximate where many are.)
    """
    known = np.round(differences[~np.isnan(differences)], 12)
    if not known.size:
        return math.nan
    known = known[known != 0]
    _, inverse, counts = np.unique(np.abs(known), return_inverse=True, return_counts=True)
    ranks = (2 * np.cumsum(counts) - counts + 1)[inverse]  # twice the midranks: whole numbers
    positive = int(ranks[known > 0].sum())
    smaller = min(positive, int(ranks.sum()) - positive)
    if len(ranks) <= EXACT:
        chance = _sum_distribution(tuple(np.sort(ranks).tolist()))
        return min(1.0, 2 * float(chance[: smaller + 1].sum()))
    deviation = math.sqrt(float((ranks**2).sum())) / 2
    return math.erfc((ranks.sum() / 2 - smaller) / deviation / math.sqrt(2))


@lru_cache(maxsize=32)
def _sum_distribution(ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Probability of each sum of ranks when each is in or out like a coin, (sum + 1,).

    Without ties it is the same for all pairs with so many patients.
    """
    chance = np.zeros(sum(ranks) + 1)
    chance[0] = 1.0
    for rank in ranks:
        without = chance / 2
        chance = without.copy()
        chance[rank:] += without[: len(chance) - rank]
    return chance


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given.

    NaN is no test: it stays NaN and does not count in the family.
    """
    adjusted = [math.nan] * len(p)
    tested = sorted((value, i) for i, value in enumerate(p) if not math.isnan(value))
    highest = 0.0
    for rank, (value, i) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * value))
        adjusted[i] = highest
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p values that bound the share of false findings, in the order given.

    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x. As in `holm`, NaN is no
    test.
    """
    from scipy import stats  # takes a second to load

    given = np.array(p, dtype=float)
    tested = ~np.isnan(given)
    adjusted = np.full(len(given), np.nan)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(given[tested])
    return adjusted.tolist()


def effect_verdict(effect: Interval, patients: int, margin: float, sign: int = 1) -> EffectVerdict:
    """Say in one word what an effect (arm − twin) means, by its interval alone.

    In this order:
        undecided: fewer than 6 patients, or nothing known of the spread.
        equivalent: the interval lies strictly inside ±margin; a difference this small counts as
            none, even if it is detectable.
        better, worse: the interval excludes 0 on that side.
        undecided: everything else.

    Args:
        effect: arm − twin, with an interval that holds at once with those of the whole family.
        patients: pairs behind the effect.
        margin: of practical equivalence, in the metric's unit.
        sign: +1 where more is better (Dice), −1 where less is (distances).
    """
    return "undecided" if patients < FEWEST_PATIENTS else interval_verdict(effect, margin, sign)


def interval_verdict(effect: Interval, margin: float, sign: int) -> EffectVerdict:
    """The same of enough patients, its ends rounded to 12 digits: no rounding error decides."""
    low, high = round(effect.low, 12), round(effect.high, 12)
    if -margin < low and high < margin:
        return "equivalent"
    if low > 0 or high < 0:
        return "better" if effect.mean * sign > 0 else "worse"
    return "undecided"


def worded(verdict: str, unconverged: bool, other_unconverged: bool) -> str:
    """The verdict on an arm against another, where the one that lies behind has not converged.

    Better is then a head start, which more steps may make up for, and worse is behind.

    Args:
        verdict: of `effect_verdict`.
        unconverged: the arm is known not to have converged.
        other_unconverged: so is the other.
    """
    if verdict == "better" and other_unconverged:
        return "head start"
    return "behind" if verdict == "worse" and unconverged else verdict
