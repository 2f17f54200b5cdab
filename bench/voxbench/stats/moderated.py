"""What arms that are run alike know of each other's luck: run variances moderated among them.

Two or three runs leave one or two degrees of freedom for their luck, and Student's quantile that a
family of 30 comparisons needs is then 25, with ten degrees 4. So the variance that seeds give each
arm is shrunk towards the geometric mean of all arms, which lends it degrees of freedom (Smyth 2004,
doi:10.2202/1544-6115.1027): those of the prior follow from how much further the arms' variances
spread than the chance of so few seeds would spread them. Arms are moderated, not comparisons, which
share the luck of their twin.

Where it departs from Smyth, it is to keep the error where arms are not alike: the freedom of the
prior is that at one standard error of the spread above its estimate, and no variance is shrunk
below what its own arm shows. `tests/benchmarks/families.py` shows what that keeps and what it
gains. Draws of the labels are not moderated: arms share them, and comparisons cancel their luck.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.student import Spread

FEWEST_ARMS = 3  # below it there is nothing to learn from others
_LEAST = 1e-5  # of the mean variance: an arm whose runs agree has a logarithm too
_NEWTON = 30


class Luck(NamedTuple):
    """The variance that a seed gives to an arm's mean, and its degrees of freedom, each (arm,).

    NaN where an arm has fewer than two, or has too few others.
    """

    variance: Array
    freedom: Array


def moderated_luck(means: Array) -> Luck:
    """The variance of each arm's seeds, moderated by the others'.

    Args:
        means: of an arm's patients in a run, (arm, run), NaN where there is none.
    """
    freedom = (~np.isnan(means)).sum(axis=1) - 1.0
    several = freedom > 0
    freedom[~several] = np.nan
    own = np.nansum((means - nanmean(means, axis=1)[:, None]) ** 2, axis=1) / freedom
    if several.sum() < FEWEST_ARMS:
        return Luck(np.full_like(own, np.nan), freedom)
    if not own[several].any():
        return Luck(own, freedom)
    prior, lent = _prior(own[several], freedom[several])
    shrunk = (lent * prior + freedom * own) / (lent + freedom)
    return Luck(np.maximum(shrunk, own), np.minimum(lent + freedom, np.nansum(freedom)))


def _prior(variances: Array, freedom: Array) -> tuple[float, float]:
    """The variance from which such variances came, and its degrees of freedom, on the safe side.

    The logarithm of a variance with d degrees of freedom has the variance ψ′(d/2), and ψ′(d₀/2)
    more if its own expectation was drawn from a scaled inverse χ² with d₀ (Smyth 2004, section
    6.2). A standard error of that excess, had there been none, is added.
    """
    half, arms = freedom / 2, len(variances)
    least = _LEAST * variances.mean()
    logs = np.log(np.maximum(variances, least)) - special.psi(half) + np.log(half)
    chance = special.polygamma(1, half).mean()
    peaked = special.polygamma(3, half).mean() / chance**2  # excess kurtosis of the logarithm
    error = chance * math.sqrt(2 / (arms - 1) + peaked / arms)
    excess = max(_LEAST, logs.var(ddof=1) - chance + error)
    return math.exp(logs.mean()), 2 * _inverse_trigamma(excess)


def _inverse_trigamma(value: float) -> float:
    """Newton's iteration, which rises to the solution (Smyth 2004, appendix)."""
    found = 0.5 + 1 / value
    for _ in range(_NEWTON):
        slope = special.polygamma(1, found)
        found += slope * (1 - slope / value) / special.polygamma(2, found)
    return float(found)


def moderated(
    known: Spread, luck: Luck, sides: Sequence[tuple[int, int]], runs: NDArray[np.intp]
) -> Spread:
    """The spread of comparisons with the luck of their arms as moderated, where it is.

    Args:
        known: of each comparison by itself.
        luck: of the arms.
        sides: the two arms of each comparison, places in `luck`.
        runs: that each comparison rests on, (comparison,).
    """
    ours, theirs = (list(side) for side in zip(*sides, strict=True))
    variance = (luck.variance[ours] + luck.variance[theirs]) / runs
    freedom = np.minimum(luck.freedom[ours], luck.freedom[theirs])
    there = (runs > 1) & ~np.isnan(variance)
    return known._replace(
        runs=np.where(there, variance, known.runs),
        runs_freedom=np.where(there, freedom, known.runs_freedom),
    )


class Sides(NamedTuple):
    """The two arms of a comparison, and what their runs came to.

    Attributes:
        where: what both share; arms of one such place know of each other's seeds.
        arms: their labels.
        runs: that both have, draw and seed.
        means: over the patients of the comparison, (2, run).
        folded: they are of a cross-validation, whose folds have trainings of their own; no arm
            then knows of another's seeds.
    """

    where: Hashable
    arms: tuple[str, str]
    runs: tuple[tuple[int, int], ...]
    means: Array
    folded: bool = False


def moderate(known: Spread, compared: Sequence[Sides]) -> Spread:
    """The spread of comparisons, with the variance of seeds moderated among the arms of a place.

    Args:
        known: of each by itself, (comparison,).
        compared: the same comparisons.
    """
    together: dict[Hashable, list[int]] = defaultdict(list)
    for place, sides in enumerate(compared):
        if not sides.folded and len({draw for draw, _ in sides.runs}) == 1:
            together[sides.where].append(place)
    parts = [part.copy() for part in known]
    for places in together.values():
        own = Spread(*(part[places] for part in parts))
        found = _moderate(own, [compared[place] for place in places])
        for part, changed in zip(parts, found, strict=True):
            part[places] = changed
    return Spread(*parts)


def _moderate(known: Spread, compared: Sequence[Sides]) -> Spread:
    """Of one place."""
    runs = sorted({run for sides in compared for run in sides.runs})
    arms = list(dict.fromkeys(arm for sides in compared for arm in sides.arms))
    means = np.full((len(arms), len(runs)), np.nan)
    for sides in compared:
        columns = [runs.index(run) for run in sides.runs]
        for arm, own in zip(sides.arms, sides.means, strict=True):
            means[arms.index(arm), columns] = own
    places = [(arms.index(ours), arms.index(theirs)) for _, (ours, theirs), *_ in compared]
    lengths = np.array([len(sides.runs) for sides in compared])
    return moderated(known, moderated_luck(means), places, lengths)
