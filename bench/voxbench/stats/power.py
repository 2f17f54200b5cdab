"""The chance that a comparison of two arms gets a verdict, from the variances behind it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.interval import TAILS
from voxbench.stats.paired import FEWEST_PATIENTS
from voxbench.stats.student import Spread
from voxbench.stats.variance import Components

POWER = 0.8
ENDLESS = 10_000  # seeds, draws or patients beyond which it is «no number»


class Design(NamedTuple):
    """How much a comparison rests on; `seeds` of each draw."""

    patients: float
    draws: float
    seeds: float


def verdict_chance(
    effect: float, parts: Components, design: Design, margin: float, family: int = 1, sign: int = 1
) -> tuple[str, float]:
    """The likelier verdict, and the chance of one, if `effect` and `parts` are the truth.

    The rule is that of `stats.paired.effect_verdict`, with the interval at its expected width.

    Args:
        effect: the true arm − twin.
        parts: the true variances.
        design: patients, draws and seeds a draw.
        margin: of practical equivalence.
        family: comparisons whose intervals hold at once.
        sign: +1 where more is better, −1 where less is.
    """
    known = expected_spread(parts, design)
    [reach] = known.reach(TAILS[0] / family).tolist()
    deviation = max(1e-12, math.sqrt(parts.of_mean(*design)))
    inside = margin - reach
    equivalent = 0.0
    if inside > 0:
        equivalent = _below((inside - effect) / deviation) - _below((-inside - effect) / deviation)
    wins = _below((abs(effect) - max(reach, inside)) / deviation)
    if design.patients < FEWEST_PATIENTS:
        return "undecided", 0.0
    winner = "better" if effect * sign > 0 else "worse"
    return "equivalent" if equivalent > wins else winner, equivalent + wins


def expected_spread(parts: Components, design: Design) -> Spread:
    """What `stats.student.spread` would find on average."""
    patients, draws, seeds = design
    patient, draw, seed, rest = (0.0 if math.isnan(part) else part for part in parts[:4])
    levels = draws if draws > 1 else seeds
    noise = rest / (patients * draws * seeds)
    trainings = (draw + (seed + rest / patients) / seeds) / draws if levels > 1 else 0.0
    freedom = (patients - 1, max(1, levels - 1))
    values = [patient / patients + noise, freedom[0], trainings, freedom[1], noise]
    return Spread(*(np.array([min(value, 1e9)], dtype=np.float64) for value in values))


def _below(z: float) -> float:
    return float(special.ndtr(z))


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
