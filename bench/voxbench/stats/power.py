"""Which further trainings or patients would settle an undecided comparison, and for what."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.analyses.effects import Effect, Pair, effects
from voxbench.analyses.groups import Group, Run
from voxbench.stats.bootstrap import Sample
from voxbench.stats.few import Spread
from voxbench.stats.interval import LEVEL
from voxbench.stats.paired import ALPHA, FEWEST
from voxbench.stats.variance import Components, split

POWER = 0.8
MOST = 10_000  # seeds, draws or patients beyond which it is «no number»


class Design(NamedTuple):
    """How much a comparison rests on; `seeds` of each draw."""

    patients: float
    draws: float
    seeds: float


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
        parts: of the differences' variance.
        design: what there is.
        likely: the verdict, if the true effect is the estimate.
        chance: of a verdict with `design` again.
        patients_reach: half the interval that would be left with endless seeds.
        barred: with endless seeds only Holm's bar, which few patients can't reach, is in the way.
        seeds, draws: the fewest with which the chance is 80%; None if no number reaches it.
        patients: the same for test patients.
    """

    effect: Effect
    pair: Pair
    parts: Components
    design: Design
    likely: str
    chance: float
    patients_reach: float
    barred: bool
    seeds: Extension | None
    draws: Extension | None
    patients: int | None


def prospects(pairs: Sequence[Pair], margin: float) -> list[Prospect]:
    """A prospect for each undecided comparison.

    It takes the present estimate for the true effect, and the present split of the variance for
    the true one: a plan, no promise, the more so the fewer trainings the split rests on. Holm's
    family is all comparisons without those that have won already.
    """
    found = effects(pairs, margin)
    rivals = sum(not math.isnan(e.p) and not e.p_holm < ALPHA for e in found)
    return [
        _prospect(pair, effect, margin, max(1, rivals))
        for pair, effect in zip(pairs, found, strict=True)
        if effect.verdict == "undecided"
    ]


def chance(
    effect: float, parts: Components, design: Design, margin: float, rivals: int = 1, sign: int = 1
) -> tuple[str, float]:
    """The likelier verdict, and the chance of one, if `effect` and `parts` are the truth.

    The rule is that of `stats.paired.verdict`, with the interval at its expected width, the
    signed-rank test taken for a normal one on the patients' means, and Holm's bar at its highest.

    Args:
        effect: the true arm − twin.
        parts: the true variances.
        design: patients, draws and seeds a draw.
        margin: of practical equivalence.
        rivals: comparisons in Holm's family.
        sign: +1 where more is better, −1 where less is.
    """
    known = _expected(parts, design)
    reach = known.reach(0, (1 - LEVEL) / 2)
    deviation = max(1e-12, math.sqrt(parts.of_mean(*design)))
    inside = margin - reach
    equivalent = 0.0
    if inside > 0:
        equivalent = _below((inside - effect) / deviation) - _below((-inside - effect) / deviation)
    bar = -special.ndtri(ALPHA / 2 / rivals) * math.sqrt(known.patients[0])
    wins = _below((abs(effect) - max(reach, bar, inside)) / deviation)
    if design.patients < FEWEST:
        return "undecided", 0.0
    if rivals * 2.0 ** (1 - min(design.patients, 1000)) >= ALPHA:
        wins = 0.0
    winner = "better" if effect * sign > 0 else "worse"
    return "equivalent" if equivalent > wins else winner, equivalent + wins


def _expected(parts: Components, design: Design) -> Spread:
    """What `spread` would find on average."""
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


def _prospect(pair: Pair, effect: Effect, margin: float, rivals: int) -> Prospect:
    ours, theirs = pair.samples()
    parts = split(Sample(ours.values - theirs.values, ours.draws))
    draws = len(set(ours.draws))
    now = Design(effect.patients, draws, len(ours.draws) / draws)
    told = effect.effect, parts

    def ask(design: Design, rivals: int = rivals) -> tuple[str, float]:
        return chance(*told, design, margin, rivals, pair.metric.sign)

    def fewest(axis: str, there: float) -> int | None:
        if effect.runs < 2:
            return None
        return _fewest(lambda n: ask(now._replace(**{axis: n}))[1], math.floor(there) + 1)

    seeds = fewest("seeds", now.seeds)
    subsets = fewest("draws", draws) if draws > 1 else None
    endless = now._replace(seeds=MOST)
    return Prospect(
        effect=effect,
        pair=pair,
        parts=parts,
        design=now,
        likely=ask(now._replace(seeds=seeds or MOST))[0],
        chance=ask(now)[1],
        patients_reach=_expected(parts, endless).reach(0, (1 - LEVEL) / 2),
        barred=ask(endless)[1] < POWER <= ask(endless, 1)[1] and ask(endless, 1)[0] != "equivalent",
        seeds=extension(pair, seeds=seeds) if seeds else None,
        draws=extension(pair, draws=subsets) if subsets else None,
        patients=fewest("patients", now.patients),
    )


def _fewest(chance: Callable[[int], float], least: int) -> int | None:
    """The smallest number that reaches the power, by bisection: more is never worse."""
    low, high = least, MOST
    if chance(high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= POWER else (middle + 1, high)
    return low


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
        sum(n * hours(group)[0] for n, group in zip(new, sides, strict=True)),
        sum(n * hours(group)[1] for n, group in zip(new, sides, strict=True)),
    )


def _grown(there: set[int], count: int) -> tuple[int, ...]:
    """The values that there are, and the smallest others up to the count."""
    others = (value for value in range(count) if value not in there)
    added = [value for value, _ in zip(others, range(count - len(there)), strict=False)]
    return tuple(sorted([*there, *added]))


def hours(group: Group) -> tuple[float, float]:
    """Processor and accelerator hours of one training, without the weights it starts from."""
    runs = max(1, len(group.runs))
    return group.spent.cpu_hours / runs, group.spent.gpu_hours / runs


class Rung(NamedTuple):
    """So many seeds for all undecided comparisons: how many they settle, and the cost."""

    seeds: int
    settled: int
    cells: int
    cpu_hours: float
    gpu_hours: float


def ladder(found: Sequence[Prospect], seeds: Sequence[int]) -> list[Rung]:
    """What numbers of seeds would settle, over all comparisons; a shared twin is run once."""
    rungs = []
    for count in seeds:
        chosen = [one for one in found if one.seeds and len(one.seeds.values) <= count]
        cells: dict[tuple[object, ...], Group] = {}
        for one in chosen:
            runs = extension(one.pair, seeds=count).runs
            for group in filter(None, (one.pair.arm, one.pair.other)):
                new = set(runs) - set(group.runs)
                cells |= {(group.where, group.arm, run): group for run in new}
        costs = [hours(group) for group in cells.values()]
        rungs.append(
            Rung(count, len(chosen), len(cells), sum(c for c, _ in costs), sum(g for _, g in costs))
        )
    return rungs
