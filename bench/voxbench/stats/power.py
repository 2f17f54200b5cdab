"""The chance that a comparison of two arms gets a verdict, from the variances behind it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.arrays import Array
from voxbench.stats.counts import SEED
from voxbench.stats.interval import TAILS
from voxbench.stats.paired import FEWEST_PATIENTS
from voxbench.stats.student import Spread
from voxbench.stats.variance import Components

POWER = 0.8
DRAWS = 400  # plausible splits of the variance
ENDLESS = 10_000  # seeds, draws or patients beyond which it is «no number»


class Design(NamedTuple):
    """How much a comparison rests on; `seeds` of each draw."""

    patients: float
    draws: float
    seeds: float


class Plausible(NamedTuple):
    """Variances of single values that the data allow, each (draw,); see `plausible`."""

    patient: Array
    draw: Array
    seed: Array
    rest: Array


def plausible(parts: Components, design: Design, count: int = DRAWS) -> Plausible:
    """Splits of the variance that are as likely as the estimated one, given its few runs.

    Each mean square of the analysis of variance is its expectation times χ²/df: the true ones lie
    around what was seen as df/χ² does (the fiducial argument, as in Weerahandi 1993,
    doi:10.1080/01621459.1993.10476355). With three runs that spreads over a factor of 40. What the
    data can't tell counts as 0.

    Args:
        parts: as estimated.
        design: that they were estimated from.
        count: splits to draw, the same for the same data.
    """
    patient, draw, seed, rest = (0.0 if math.isnan(part) else part for part in parts[:4])
    patients, draws, seeds = design
    runs, rng = draws * seeds, np.random.default_rng(SEED)
    within, between = draws * (seeds - 1), draws - 1

    def around(square: float, freedom: float) -> Array:
        freedom = max(1.0, freedom)
        return square * freedom / rng.chisquare(freedom, count)

    noise = around(rest, (patients - 1) * (runs - 1))
    people = around(rest + runs * patient, patients - 1)
    trained = around(rest + patients * seed, within) if within > 0 else noise
    subsets = rest + patients * (seed + seeds * draw)
    drawn = around(subsets, between) if between > 0 else trained
    return Plausible(
        np.maximum(0.0, people - noise) / runs,
        np.maximum(0.0, drawn - trained) / (patients * seeds),
        np.maximum(0.0, trained - noise) / patients,
        noise,
    )


def verdict_chance(
    effect: float, parts: Plausible, design: Design, margin: float, family: int = 1, sign: int = 1
) -> tuple[str, float]:
    """The likelier verdict, and the chance of one over plausible variances.

    The rule is that of `stats.paired.effect_verdict`; how wide its interval will be is left to
    chance too.

    Args:
        effect: the true arm − twin.
        parts: variances, of which one is the true one.
        design: patients, draws and seeds a draw.
        margin: of practical equivalence.
        family: comparisons whose intervals hold at once.
        sign: +1 where more is better, −1 where less is.
    """
    if design.patients < FEWEST_PATIENTS:
        return "undecided", 0.0
    expected = expected_spread(parts, design)
    reach = _by_chance(expected).reach(TAILS[0] / family)
    variance = expected.patients + (parts.draw + parts.seed / design.seeds) / design.draws
    deviation = np.maximum(1e-12, np.sqrt(variance))
    inside = margin - reach
    equivalent = np.where(
        inside > 0,
        special.ndtr((inside - effect) / deviation) - special.ndtr((-inside - effect) / deviation),
        0.0,
    ).mean()
    wins = special.ndtr((abs(effect) - np.maximum(reach, inside)) / deviation).mean()
    winner = "better" if effect * sign > 0 else "worse"
    return "equivalent" if equivalent > wins else winner, float(equivalent + wins)


def expected_spread(parts: Plausible, design: Design) -> Spread:
    """What `stats.student.spread` finds on average with such variances."""
    patients, draws, seeds = design
    levels = draws if draws > 1 else seeds
    noise = parts.rest / (patients * draws * seeds)
    trained = (parts.draw + (parts.seed + parts.rest / patients) / seeds) / draws
    freedom = (float(patients - 1), float(max(1, levels - 1)))
    one = np.ones(len(noise))
    return Spread(
        parts.patient / patients + noise, freedom[0] * one,
        trained if levels > 1 else 0 * one, freedom[1] * one, noise,
    )  # fmt: skip


def _by_chance(expected: Spread) -> Spread:
    """Mean squares that vary as χ² does, by the same quantiles for every design."""
    ranks = np.random.default_rng(SEED + 1).random((2, len(expected.noise)))
    people, runs = (
        variance * 2 * special.gammaincinv(freedom / 2, rank) / freedom
        for variance, freedom, rank in zip(expected[0:4:2], expected[1:4:2], ranks, strict=True)
    )
    return expected._replace(patients=people, runs=runs)


def fewest_for_power(chance: Callable[[int], float], least: int) -> int | None:
    """The smallest number from `least` on that reaches the power; None if none does.

    By bisection: more is never worse.
    """
    low, high = least, ENDLESS
    if chance(high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= POWER else (middle + 1, high)
    return low
