"""How many families of comparisons hold a false verdict, and what that costs? Truth known.

    python tests/benchmarks/families.py [--repeats 1000]

A family is so many arms against one twin that all share, on the same patients. Scores are as in
calibration.py (skewed, bounded, hard patients), with an arm's own luck of 0.15 logits on a patient;
a seed shifts all patients alike, by a deviation in Dice of which nobody knows the kind: normal,
skewed (exponential), or one bad seed in ten. Arms are alike in it, or not: every second one (and
the twin), one arm, or only the twin has four times the deviation, or each arm's is drawn
(log-normal, 0.7).

- False winners: no arm differs. Families that call one better or worse, margin 0.
- False equivalents: every arm is better by just the margin of 0.01. Families that call one
  equivalent (or worse).
- Power: one arm is better by 0.03, the others equal. How often it is called better.

All of it beside the rule without moderation, where each comparison knows of its own runs only.
Every verdict is that of `stats.inference.judge` without the bootstrap's skew, which moves no figure
by more than the chance of so many repeats, and takes a hundred times as long.

Exit code 1 if more than 5% of the families hold a false verdict, beyond 2 standard errors, where
luck is normal.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import special
from voxbench.stats.interval import TAILS
from voxbench.stats.moderated import moderated, moderated_luck
from voxbench.stats.student import Spread, spread

PATIENTS, SEEDS, ARMS = (10, 34, 100), (3, 5), (4, 30)
DEVIATIONS, KINDS = (0.0, 0.0025, 0.006, 0.012), ("normal", "skewed", "bad seeds")
UNLIKE, TIMES, DRAWN = ("every second", "one arm", "the twin", "drawn"), 4.0, 0.7
MARGIN, EFFECT, AT_ONCE = 0.01, 0.03, 50


class Design(NamedTuple):
    """Of a family, and of the luck of its seeds."""

    patients: int
    seeds: int
    arms: int
    deviation: float
    kind: str = "normal"
    unlike: str = "none"

    def __str__(self) -> str:
        return (
            f"{self.patients:>3} patients, {self.seeds:>2} seeds, {self.arms:>2} arms, luck "
            f"{self.deviation:g} {self.kind}, restless: {self.unlike}"
        )


class Counted(NamedTuple):
    """Families with a false winner and a false equivalent, as shares."""

    winners: float
    equivalents: float


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    repeats = options.parse_args().repeats
    bar = 0.05 + 2 * (0.05 * 0.95 / repeats) ** 0.5
    worst = 0.0
    for design in designs():
        ours, theirs = errors(design, repeats)
        worst = max(worst, *ours) if design.kind == "normal" else worst
        print(
            f"{design}: {ours.winners:.1%} hold a false winner ({theirs.winners:.1%} each by "
            f"itself), {ours.equivalents:.1%} a false equivalent ({theirs.equivalents:.1%})",
            flush=True,
        )
    for patients, seeds, arms, deviation in itertools.product(
        (34, 100), (3, 5, 10), ARMS, (0.0, 0.006)
    ):
        design = Design(patients, seeds, arms, deviation)
        found, alone = power(design, max(1, repeats // 2))
        print(f"{design}: an effect of {EFFECT} is found in {found:.0%}, each by itself in "
              f"{alone:.0%}", flush=True)  # fmt: skip
    print(f"the worst is {worst:.1%}; {'kept' if worst <= bar else 'not kept'}")
    return 0 if worst <= bar else 1


def designs() -> Iterator[Design]:
    """All that errors are counted in."""
    for patients, seeds, arms in itertools.product(PATIENTS, SEEDS, ARMS):
        yield Design(patients, seeds, arms, 0.0)
        for deviation, kind in itertools.product(DEVIATIONS[1:], KINDS):
            yield Design(patients, seeds, arms, deviation, kind)
    for patients, seeds, arms in itertools.product(PATIENTS[1:], SEEDS, ARMS):
        for deviation, kind, unlike in itertools.product(DEVIATIONS[1:3], KINDS[:2], UNLIKE):
            yield Design(patients, seeds, arms, deviation, kind, unlike)


def scores_of(rng: np.random.Generator, design: Design, families: int) -> np.ndarray:
    """Scores of arms where none differs, (family, arm, patient, seed), the twin first."""
    patients, seeds, arms, deviation, kind, _ = design
    level = 2.6 - 0.7 * rng.gamma(2.0, size=(families, 1, patients, 1))
    level -= 3 * (rng.random(level.shape) < 0.03)  # near-failures
    own = rng.normal(0, 0.15, (families, arms + 1, patients, 1))
    noise = rng.normal(0, 0.25, (families, arms + 1, patients, seeds))
    size = (families, arms + 1, 1, seeds)
    luck = {
        "normal": lambda: rng.normal(0, 1, size),
        "skewed": lambda: 1 - rng.exponential(1, size),
        "bad seeds": lambda: (0.1 - (rng.random(size) < 0.1)) / 0.3,
    }[kind]()
    return special.expit(level + own + noise) + deviation * _restless(rng, design, families) * luck


def _restless(rng: np.random.Generator, design: Design, families: int) -> np.ndarray:
    """How many times the deviation each arm has, (family, arm, 1, 1)."""
    times = np.ones((families, design.arms + 1, 1, 1))
    if design.unlike == "drawn":
        return np.exp(rng.normal(0, DRAWN, times.shape))
    restless = {
        "none": slice(0), "every second": slice(None, None, 2), "one arm": slice(-1, None),
        "the twin": slice(1),
    }[design.unlike]  # fmt: skip
    times[:, restless] = TIMES
    return times


def errors(design: Design, repeats: int) -> tuple[Counted, Counted]:
    """By the rule, and by that without moderation."""
    numbers = [*design[:3], round(1e4 * design.deviation), len(design.kind), len(design.unlike)]
    rng, counts = np.random.default_rng([5, *numbers]), np.zeros((2, 2))
    families = min(AT_ONCE, repeats)
    for _ in range(repeats // families):
        mean, *rules = spreads(scores_of(rng, design, families))
        for count, known in zip(counts, rules, strict=True):
            reach = known.reach(TAILS[0] / design.arms).reshape(mean.shape)
            low, high = MARGIN + mean - reach, MARGIN + mean + reach
            wrong = ((low > -MARGIN) & (high < MARGIN)) | (high < 0)
            count += (np.abs(mean) > reach).any(axis=1).sum(), wrong.any(axis=1).sum()
    shares = counts / (repeats // families * families)
    return Counted(*shares[0].tolist()), Counted(*shares[1].tolist())


def power(design: Design, repeats: int) -> list[float]:
    """By the rule, and by that without moderation."""
    rng = np.random.default_rng([6, *design[:3], round(1e4 * design.deviation)])
    found, families = np.zeros(2), min(AT_ONCE, repeats)
    for _ in range(repeats // families):
        scores = scores_of(rng, design, families)
        scores[:, 1] += EFFECT
        mean, *rules = spreads(scores)
        for column, known in enumerate(rules):
            reach = known.reach(TAILS[0] / design.arms).reshape(mean.shape)
            found[column] += (mean > reach)[:, 0].sum()
    shares: list[float] = (found / (repeats // families * families)).tolist()
    return shares


def spreads(scores: np.ndarray) -> tuple[np.ndarray, Spread, Spread]:
    """Means of the comparisons, (family, arm), and their spread, moderated and each by itself."""
    families, arms, patients, seeds = scores.shape
    apart = scores[:, 1:] - scores[:, :1]
    mean = apart.mean(axis=(2, 3))
    alone = spread(apart.reshape(-1, patients, seeds), (0,) * seeds)
    sides, runs = [(arm, 0) for arm in range(1, arms)], np.full(arms - 1, seeds)
    parts = [
        moderated(
            Spread(*(part.reshape(families, -1)[family] for part in alone)), luck, sides, runs
        )
        for family, luck in enumerate(map(moderated_luck, scores.mean(axis=2)))
    ]
    return mean, Spread(*map(np.concatenate, zip(*parts, strict=True))), alone


if __name__ == "__main__":
    sys.exit(main())
