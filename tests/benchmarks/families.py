"""How many families of comparisons hold a false verdict, and what that costs? Truth known.

    python tests/benchmarks/families.py [--repeats 1000]

A family is so many arms against one twin that all share, on the same patients. Scores are as in
calibration.py (skewed, bounded, hard patients), with an arm's own luck of 0.15 logits on a patient;
a seed shifts all patients alike, by a deviation in Dice of which nobody knows the kind: normal,
skewed (exponential), or one bad seed in ten.

- False winners: no arm differs. Families that call one better or worse, margin 0.
- False equivalents: every arm is better by just the margin of 0.01. Families that call one
  equivalent (or worse).
- Power: one arm is better by 0.03, the others equal. How often it is called better, beside the
  share by the rule that this one replaced: Holm of Wilcoxon's p over patients, and an interval of
  each row alone. The old rule's false winners are shown too: what its power is worth.

Every verdict is that of `stats.interval.judge` without the bootstrap's skew, which moves no figure
by more than the chance of so many repeats, and takes a hundred times as long.

Exit code 1 if more than 5% of the families hold a false verdict, beyond 2 standard errors.
"""

import argparse
import itertools
import sys
from typing import NamedTuple

import numpy as np
from scipy import special
from voxbench.stats.interval import TAILS
from voxbench.stats.paired import holm, wilcoxon
from voxbench.stats.student import Spread, spread

PATIENTS, SEEDS, ARMS = (10, 34, 100), (3, 5), (4, 30)
DEVIATIONS, KINDS = (0.0, 0.0025, 0.006, 0.012), ("normal", "skewed", "bad seeds")
MARGIN, EFFECT, AT_ONCE = 0.01, 0.03, 50


class Design(NamedTuple):
    """Of a family, and of the luck of its seeds."""

    patients: int
    seeds: int
    arms: int
    deviation: float
    kind: str = "normal"


class Counted(NamedTuple):
    """Families or comparisons of each kind, as shares."""

    winners: float
    old_winners: float
    equivalents: float


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    repeats = options.parse_args().repeats
    bar = 0.05 + 2 * (0.05 * 0.95 / repeats) ** 0.5
    worst = 0.0
    for patients, seeds, arms in itertools.product(PATIENTS, SEEDS, ARMS):
        for deviation, kind in itertools.product(DEVIATIONS, KINDS):
            if deviation or kind == "normal":
                design = Design(patients, seeds, arms, deviation, kind)
                found = errors(design, repeats)
                worst = max(worst, found.winners, found.equivalents)
                print(
                    f"{_told(design)}: {found.winners:.1%} hold a false winner "
                    f"({found.old_winners:.1%} by the old rule), {found.equivalents:.1%} a false "
                    "equivalent", flush=True,
                )  # fmt: skip
    for patients, seeds, arms, deviation in itertools.product(
        (34, 100), (3, 5, 10), ARMS, (0.0, 0.006)
    ):
        design = Design(patients, seeds, arms, deviation)
        ours, theirs = power(design, max(1, repeats // 2))
        print(f"{_told(design)}: an effect of {EFFECT} is found in {ours:.0%}, by the old rule "
              f"in {theirs:.0%}", flush=True)  # fmt: skip
    print(f"the worst is {worst:.1%}; {'kept' if worst <= bar else 'not kept'}")
    return 0 if worst <= bar else 1


def _told(design: Design) -> str:
    return (
        f"{design.patients:>3} patients, {design.seeds:>2} seeds, {design.arms:>2} arms, luck "
        f"{design.deviation:g} {design.kind}"
    )


def differences(rng: np.random.Generator, design: Design, families: int) -> np.ndarray:
    """Arm − the shared twin where none differs, (family, arm, patient, seed)."""
    patients, seeds, arms, deviation, kind = design
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
    scores = special.expit(level + own + noise) + deviation * luck
    return scores[:, 1:] - scores[:, :1]


def errors(design: Design, repeats: int) -> Counted:
    rng = np.random.default_rng([5, *design[:3], round(1e4 * design.deviation), len(design.kind)])
    counts = np.zeros(3)
    families = min(AT_ONCE, repeats)
    for _ in range(repeats // families):
        given = differences(rng, design, families)
        mean, known = _known(given)
        adjusted = known.p(np.abs(mean)).reshape(families, -1) * design.arms
        old = _old_winners(given, mean, known)
        reach = known.reach(TAILS[0] / design.arms)
        low, high = (MARGIN + mean - reach, MARGIN + mean + reach)
        wrong = ((low > -MARGIN) & (high < MARGIN)) | (high < 0)
        counts += [
            (adjusted < 0.05).any(axis=1).sum(), old.any(axis=1).sum(),
            wrong.reshape(families, -1).any(axis=1).sum(),
        ]  # fmt: skip
    return Counted(*(counts / (repeats // families * families)).tolist())


def power(design: Design, repeats: int) -> tuple[float, float]:
    rng = np.random.default_rng([6, *design[:3], round(1e4 * design.deviation)])
    ours = theirs = 0
    families = min(AT_ONCE, repeats)
    for _ in range(repeats // families):
        given = differences(rng, design, families)
        given[:, 0] += EFFECT
        mean, known = _known(given)
        reach = known.reach(TAILS[0] / design.arms)
        low = (mean - reach).reshape(families, -1)[:, 0]
        ours += int((low > 0).sum())
        theirs += int(_old_winners(given, mean, known)[:, 0].sum())
    done = repeats // families * families
    return ours / done, theirs / done


def _known(given: np.ndarray) -> tuple[np.ndarray, Spread]:
    """Mean and spread of every comparison, (family × arm,)."""
    flat = given.reshape(-1, *given.shape[2:])
    return flat.mean(axis=(1, 2)), spread(flat, (0,) * given.shape[3])


def _old_winners(given: np.ndarray, mean: np.ndarray, known: Spread) -> np.ndarray:
    """By Holm's p of Wilcoxon's test and an interval of each row alone, (family, arm)."""
    families = len(given)
    apart = (np.abs(mean) > known.reach(TAILS[0])).reshape(families, -1)
    if not apart.any():
        return apart
    by_patient = given.mean(axis=3)
    holmed = [holm([wilcoxon(arm) for arm in family]) for family in by_patient]
    return apart & (np.array(holmed) < 0.05)


if __name__ == "__main__":
    sys.exit(main())
