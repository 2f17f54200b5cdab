"""Which further trainings or patients would settle an undecided comparison, and for what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.effects import Effect, effects
from voxbench.analyses.groups import Group, Run
from voxbench.analyses.pairing import Pair
from voxbench.stats.interval import TAILS
from voxbench.stats.power import (
    ENDLESS,
    Design,
    Plausible,
    expected_spread,
    fewest_for_power,
    plausible,
    verdict_chance,
)
from voxbench.stats.variance import Components, variance_components

FEWEST_RUNS = 5  # from which the split of the variance says how many patients are needed


@dataclass(frozen=True)
class Extension:
    """More seeds or draws of an arm and its twin.

    Attributes:
        values: of the axis, as a sweep has them, those that there are included.
        runs: the trainings that each side then has.
        cells: that must be run, of arm and twin; cpu_hours, gpu_hours: what they take, at the mean
            of those that there are.
    """

    values: tuple[int, ...]
    runs: tuple[Run, ...]
    cells: int
    cpu_hours: float
    gpu_hours: float


@dataclass(frozen=True)
class Prospect:
    """What it takes to settle one undecided comparison.

    Attributes:
        effect: as the report has it.
        pair: the arm and its twin.
        parts: of the differences' variance, as estimated; plausible: what the runs allow.
        design: what there is.
        likely: the verdict, if the true effect is the estimate.
        chance: of a verdict with `design` again.
        patients_reach: half the interval that endless seeds would leave, as one of the family.
        seeds, draws: the fewest with which the chance is 80%; None if no number reaches it.
        patients: the same for test patients; None too with fewer than 5 trainings, or draws where
            they differ: too few to tell the luck that more patients leave as it is.
    """

    effect: Effect
    pair: Pair
    parts: Components
    plausible: Plausible
    design: Design
    likely: str
    chance: float
    patients_reach: float
    seeds: Extension | None
    draws: Extension | None
    patients: int | None


def prospects(pairs: Sequence[Pair], margin: float) -> list[Prospect]:
    """A prospect for each undecided comparison on one split.

    It takes the present estimate for the true effect, and of the split of the variance all that
    the present runs allow. The family is all comparisons.
    """
    found = effects(pairs, margin)
    family = max(1, sum(not math.isnan(effect.p) for effect in found))
    return [
        _prospect(pair, effect, margin, family)
        for pair, effect in zip(pairs, found, strict=True)
        if effect.verdict == "undecided" and not pair.difference().folded
    ]


def _prospect(pair: Pair, effect: Effect, margin: float, family: int) -> Prospect:
    difference = pair.difference()
    parts = variance_components(difference)
    draws = len(set(difference.draws))
    now = Design(effect.patients, draws, len(difference.draws) / draws)

    splits = plausible(parts, now)

    def chance(design: Design) -> tuple[str, float]:
        return verdict_chance(effect.effect.mean, splits, design, margin, family, pair.metric.sign)

    def fewest(axis: str, there: float) -> int | None:
        if effect.runs < 2:
            return None
        return fewest_for_power(
            lambda n: chance(now._replace(**{axis: n}))[1], math.floor(there) + 1
        )

    seeds = fewest("seeds", now.seeds)
    subsets = fewest("draws", draws) if draws > 1 else None
    known = draws if draws > 1 else effect.runs
    endless = now._replace(seeds=ENDLESS)
    return Prospect(
        effect=effect,
        pair=pair,
        parts=parts,
        plausible=splits,
        design=now,
        likely=chance(now._replace(seeds=seeds or ENDLESS))[0],
        chance=chance(now)[1],
        patients_reach=float(np.median(expected_spread(splits, endless).reach(TAILS[0] / family))),
        seeds=extension(pair, seeds=seeds) if seeds else None,
        draws=extension(pair, draws=subsets) if subsets else None,
        patients=fewest("patients", now.patients) if known >= FEWEST_RUNS else None,
    )


def extension(pair: Pair, seeds: int | None = None, draws: int | None = None) -> Extension:
    """The cells that are missing for so many seeds or draws, and their hours."""
    sides = [group for group in (pair.arm, pair.other) if group]
    there = {run for group in sides for run in group.runs}
    grown_seeds = _grown({run.seed for run in there}, seeds or 0)
    grown_draws = _grown({run.draw for run in there}, draws or 0)
    runs = tuple(Run(draw, seed) for draw in grown_draws for seed in grown_seeds)
    new = [len(set(runs) - set(group.runs)) for group in sides]
    return Extension(
        grown_seeds if seeds else grown_draws,
        runs,
        sum(new),
        sum(n * _hours_a_run(group)[0] for n, group in zip(new, sides, strict=True)),
        sum(n * _hours_a_run(group)[1] for n, group in zip(new, sides, strict=True)),
    )


def _grown(there: set[int], count: int) -> tuple[int, ...]:
    """The values that there are, and the smallest others up to the count."""
    others = (value for value in range(count) if value not in there)
    added = [value for value, _ in zip(others, range(count - len(there)), strict=False)]
    return tuple(sorted([*there, *added]))


def _hours_a_run(group: Group) -> tuple[float, float]:
    """Processor and accelerator hours of one training, without the weights it starts from."""
    runs = max(1, len(group.runs))
    return group.spent.cpu_hours / runs, group.spent.gpu_hours / runs


class SeedBudget(NamedTuple):
    """So many seeds for all undecided comparisons: how many they settle, and the cost."""

    seeds: int
    settled: int
    cells: int
    cpu_hours: float
    gpu_hours: float


def seed_budgets(found: Sequence[Prospect], counts: Sequence[int]) -> list[SeedBudget]:
    """What numbers of seeds would settle, over all comparisons; a shared twin is run once."""
    budgets = []
    for count in counts:
        chosen = [one for one in found if one.seeds and len(one.seeds.values) <= count]
        cells: dict[tuple[object, ...], Group] = {}
        for one in chosen:
            runs = extension(one.pair, seeds=count).runs
            for group in filter(None, (one.pair.arm, one.pair.other)):
                new = set(runs) - set(group.runs)
                cells |= {(group.where, group.arm, run): group for run in new}
        costs = [_hours_a_run(group) for group in cells.values()]
        cpu_hours, gpu_hours = sum(cpu for cpu, _ in costs), sum(gpu for _, gpu in costs)
        budgets.append(SeedBudget(count, len(chosen), len(cells), cpu_hours, gpu_hours))
    return budgets
