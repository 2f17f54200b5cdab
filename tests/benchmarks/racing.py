"""Does a race keep its word? Simulations with known truth, seeds fixed.

    python tests/benchmarks/racing.py [--repeats 1000]

Scores as in calibration.py: skewed, bounded, correlated by the patient's difficulty, with luck that
a training gives to all patients. Four arms share one twin, so their comparisons depend on each
other; a training of each is added at a time, up to 6, and everything is looked at after each.

- A/A: no arm differs from the twin. How often the race names a winner in any comparison at any
  interim analysis, with the luck of calibration.py and with one six times as strong. All are made,
  also those that a race would have stopped before, and nothing is equivalent: no order of the cells
  and no rule of stopping names more.
- Equivalence: every arm differs by exactly the margin. How often a comparison is called
  equivalent at any.
- Saving: arms of different gains, up to 10 trainings, margin 0.01. Which share of the trainings
  runs before everything is settled, and which share of the comparisons is settled by the race, by
  the same test made once at the end, and wrongly.

Measured with 1,000 repetitions (200 for the saving), in two minutes on one core:

    patients                                  10         30        100
    A/A, luck 0.05                          1.8%       2.9%       3.8%
    A/A, luck 0.30                          2.7%       3.8%       4.3%
    comparisons equivalent at the margin    0.1%       0.2%       0.4%
    families that hold such a comparison    0.2%       0.9%       1.7%
    trainings run                            95%        78%        73%
    settled (by one test at the end)    21% (37%)  57% (62%)  63% (70%)

Exit code 1 if a winner is named in more than 5% of the A/A families, or equivalence at the margin
more than 5% of the time.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
from scipy import special, stats
from voxbench.stats.bootstrap import Sample
from voxbench.stats.sequential import Decision, Interim, decide, error_shares, interims

PATIENTS = (10, 30, 100)
LUCK, NOISE = 0.05, 0.25  # of a training on all patients and on one, in logits
RUNS, LONG = 6, 10
MARGIN, GAIN = 0.01, 0.1
GAINS = (0.6, 0.3, 0.1, 0.0)
WHOLE = (*[1e-9] * (LONG - 2), 1.0)  # all of the error for the last analysis


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    repeats = options.parse_args().repeats
    started, kept = time.perf_counter(), True
    for patients in PATIENTS:
        for luck in (LUCK, 6 * LUCK):
            kept &= aa(patients, luck, repeats)
        kept &= equivalence(patients, repeats)
        saving(patients, max(1, repeats // 5))
    print(f"{'the error is kept' if kept else 'the error is not kept'}; "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    return 0 if kept else 1


def family(
    rng: np.random.Generator, patients: int, gains: Sequence[float], luck: float, runs: int
) -> np.ndarray:
    """Differences to the shared twin, (arm, patient, run)."""
    ease = stats.gamma.rvs(2.0, size=patients, random_state=rng)  # a long tail of hard patients
    level = 2.6 - 0.7 * ease
    level[rng.random(patients) < 0.03] -= 3  # near-failures
    arms = len(gains) + 1
    gain = np.array([0.0, *gains])[:, None, None] * rng.normal(1, 0.7, (arms, patients, 1))
    logits = (
        level[:, None] + gain + rng.normal(0, luck, (arms, 1, runs))
        + rng.normal(0, NOISE, (arms, patients, runs))
    )  # fmt: skip
    scores = special.expit(logits)
    return scores[1:] - scores[0]


def race(differences: np.ndarray, margin: float) -> tuple[list[list[Interim]], list[Decision]]:
    runs = differences.shape[2]
    shares, family = error_shares(runs), len(differences)
    seen = [interims(Sample(arm, (0,) * runs), shares, family) for arm in differences]
    return seen, decide(seen, margin)


def aa(patients: int, luck: float, repeats: int) -> bool:
    rng = np.random.default_rng([1, patients, round(100 * luck)])
    wrong = 0
    for _ in range(repeats):
        _, standings = race(family(rng, patients, [0.0] * 4, luck, RUNS), margin=0.0)
        wrong += any(decision.verdict != "undecided" for decision in standings)
    print(
        f"A/A, {patients:>3} patients, {RUNS} trainings, luck {luck:.2f}: "
        f"{wrong / repeats:.1%} of 4 comparisons × {RUNS - 1} interim analyses name a winner",
        flush=True,
    )
    return wrong / repeats <= 0.05


def equivalence(patients: int, repeats: int) -> bool:
    truth = family(np.random.default_rng(2), 500_000, [GAIN], 0.0, 1).mean()
    rng = np.random.default_rng([3, patients])
    wrong, any_wrong = 0, 0
    for _ in range(repeats):
        _, standings = race(family(rng, patients, [GAIN] * 4, LUCK, RUNS), float(truth))
        false = sum(decision.verdict == "equivalent" for decision in standings)
        wrong, any_wrong = wrong + false, any_wrong + (false > 0)
    print(
        f"at the margin of {truth:.4f}, {patients:>3} patients: {wrong / repeats / 4:.1%} of the "
        f"comparisons are called equivalent, {any_wrong / repeats:.1%} of the families hold one",
        flush=True,
    )
    return wrong / repeats / 4 <= 0.05


def saving(patients: int, repeats: int) -> None:
    rng = np.random.default_rng([4, patients])
    large = family(np.random.default_rng(2), 500_000, GAINS, 0.0, 1).mean(axis=(1, 2))
    rest = np.array([abs(effect) < MARGIN for effect in large])
    run, settled, once, wrong = 0, 0, 0, 0
    for _ in range(repeats):
        differences = family(rng, patients, GAINS, LUCK, LONG)
        _, standings = race(differences, MARGIN)
        last = [interims(Sample(arm, (0,) * LONG), WHOLE, len(GAINS))[-1:] for arm in differences]
        for decision, small, effect in zip(standings, rest, large, strict=True):
            done = decision.verdict != "undecided"
            settled += done
            run += decision.interim.runs if done and decision.interim else LONG
            wrong += decision.verdict == "equivalent" and not small
            wrong += decision.verdict == "worse" or (decision.verdict == "better" and effect < 1e-3)
        once += sum(decision.verdict != "undecided" for decision in decide(last, MARGIN))
    whole = repeats * len(GAINS)
    effects = ", ".join(f"{effect:.3f}" for effect in large)
    print(
        f"gains of {effects}, {patients:>3} patients, {LONG} trainings: {run / whole / LONG:.0%} "
        f"of the trainings run, {settled / whole:.0%} of the comparisons settled, "
        f"{wrong / whole:.1%} wrongly; by one test at the end {once / whole:.0%}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
