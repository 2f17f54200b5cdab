"""Do plans of `voxbench power` come true? Simulations with known truth, seeds fixed.

    python tests/benchmarks/power_plans.py [--repeats 1000]

A pilot with 3 or 5 seeds on 34 patients is undecided; from its split of the variance the plan is
made that promises 80%: so many seeds, or so many patients with the seeds that there are. The chance
that the plan then has is that of the true split, with the pilot's effect taken for the true one, as
the plan says. Beside it that of plans which take the pilot's split for the true one.

The same among 4 and 30 arms with one twin, whose verdicts moderate the luck of their seeds, which
plans know nothing of: there families of the planned design are simulated, and judged by the rule of
reports.

Plans for more patients are shown for 3 seeds too, from which `voxbench power` makes none.

Exit code 1 if plans for more seeds keep less than 70% where they promise 80%.
"""

import argparse
import itertools
import math
import sys

import numpy as np
from families import spreads
from voxbench.stats.bootstrap import Sample
from voxbench.stats.interval import TAILS
from voxbench.stats.power import (
    Design,
    Plausible,
    fewest_for_power,
    plausible,
    verdict_chance,
)
from voxbench.stats.variance import Components, variance_components

PATIENTS, MARGIN, EFFECT = 34, 0.002, 0.015
PATIENT, NOISE, LUCK = 0.03, 0.02, (0.0, 0.0025, 0.006, 0.012)
ARMS, FAMILIES, AXES = (1, 4, 30), 40, ("seeds", "patients")
MOST = 1000  # seeds or patients: what is planned beyond is left out of the count


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    repeats = options.parse_args().repeats
    kept = True
    for arms, seeds, luck in itertools.product(ARMS, (3, 5), LUCK):
        found = {axis: come_true(arms, seeds, luck, repeats, axis) for axis in AXES}
        told = "; ".join(
            f"more {axis} {true:.0%} ({plans} plans), by the pilot's split {old:.0%} ({old_plans})"
            for axis, (true, plans, old, old_plans) in found.items()
        )
        print(f"{arms} arms, {seeds} seeds, luck {luck:g}: {told}", flush=True)
        kept &= not found["seeds"][0] < 0.7
    print("kept" if kept else "not kept")
    return 0 if kept else 1


def come_true(
    arms: int, seeds: int, luck: float, repeats: int, axis: str
) -> tuple[float, int, float, int]:
    """The chance that plans have in truth, and their number: by plausible splits, and by one."""
    rng = np.random.default_rng([9, arms, seeds, round(1e4 * luck)])
    now = Design(PATIENTS, 1, seeds)
    chances: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        values = EFFECT + pilots(rng, 1, 1, now, luck)[0, 0]
        effect, parts = float(values.mean()), variance_components(Sample(values, (0,) * seeds))
        splits = plausible(parts, now)
        for found, split in zip(chances, (splits, one(parts)), strict=True):
            planned = plan(effect, split, now, axis, arms)
            if planned and arms > 1:
                found.append(among(rng, arms, effect, planned, luck))
            elif planned:
                truth = one(Components(PATIENT**2, math.nan, luck**2, NOISE**2))
                found.append(verdict_chance(effect, truth, planned, MARGIN)[1])
    true, old = (float(np.mean(found)) if found else math.nan for found in chances)
    return true, len(chances[0]), old, len(chances[1])


def plan(effect: float, split: Plausible, now: Design, axis: str, arms: int) -> Design | None:
    """None where the pilot promises it already, or nothing does, or it is beyond all means."""
    least = int(getattr(now, axis))
    if verdict_chance(effect, split, now, MARGIN, arms)[1] >= 0.8:
        return None
    count = fewest_for_power(
        lambda n: verdict_chance(effect, split, now._replace(**{axis: n}), MARGIN, arms)[1], least
    )
    return now._replace(**{axis: count}) if count and count <= MOST else None


def one(parts: Components, count: int = 400) -> Plausible:
    return Plausible(*(np.full(count, 0.0 if math.isnan(p) else p) for p in parts[:4]))


def among(rng: np.random.Generator, arms: int, effect: float, design: Design, luck: float) -> float:
    """The share of families in which an arm with this effect gets a verdict."""
    scores = pilots(rng, FAMILIES, arms + 1, design, luck) / math.sqrt(2)
    scores[:, 1] += effect
    mean, moderated, _ = spreads(scores)
    reach = moderated.reach(TAILS[0] / arms).reshape(mean.shape)
    low, high = (mean - reach)[:, 0], (mean + reach)[:, 0]
    settled = (low > 0) | (high < 0) | ((low > -MARGIN) & (high < MARGIN))
    return float(settled.mean())


def pilots(
    rng: np.random.Generator, families: int, arms: int, design: Design, luck: float
) -> np.ndarray:
    """Differences, (family, arm, patient, seed), without an effect."""
    patients, seeds = int(design.patients), int(design.seeds)
    return (
        rng.normal(0, PATIENT, (families, arms, patients, 1))
        + rng.normal(0, luck, (families, arms, 1, seeds))
        + rng.normal(0, NOISE, (families, arms, patients, seeds))
    )


if __name__ == "__main__":
    sys.exit(main())
