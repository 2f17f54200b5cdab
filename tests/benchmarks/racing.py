"""Does a race keep its word, and what does it save? Simulations with known truth, seeds fixed.

    python tests/benchmarks/racing.py [--repeats 1000]

Scores as in calibration.py: skewed, bounded, correlated by the patient's difficulty, with luck that
a training gives to all patients. Four arms share one twin, so their comparisons depend on each
other; they are analysed after 3, 5, 7 and 10 trainings, and given up where more would hardly help.

- A/A: no arm differs from the twin. How often the race names a winner in any comparison, with
  the luck of calibration.py and with one three times as strong, margin 0.
- Equivalence: every arm differs by exactly the margin. How often a comparison is called
  equivalent.
- Saving: arms of different gains, margin 0.01. Which share of the trainings, the twin's included,
  runs before everything is settled or given up; which share of the comparisons is settled by the
  race, and by one test of the same family after all trainings; and wrongly.

Exit code 1 if a winner is named in more than 5% of the A/A families, or equivalence at the margin
more than 5% of the time.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
from scipy import special
from voxbench.stats.sequential import Decision, Entry, decide, error_shares

PATIENTS = (10, 30, 100)
LUCK, NOISE = 0.05, 0.25  # of a training on all patients and on one, in logits
RUNS, MARGIN, GAIN = 10, 0.01, 0.1
FAMILIES = ((0.6, 0.3, 0.1, 0.0), (0.6, 0.6, 0.3, 0.3))
WHOLE = (*[0.0] * (RUNS - 2), 1.0)  # all of the error for the last analysis


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    repeats = options.parse_args().repeats
    started, kept = time.perf_counter(), True
    for patients in PATIENTS:
        for luck in (LUCK, 3 * LUCK):
            kept &= aa(patients, luck, repeats)
        kept &= equivalence(patients, repeats)
    for gains in FAMILIES:
        for patients in PATIENTS:
            for luck in (LUCK, 3 * LUCK):
                saving(gains, patients, luck, max(1, repeats // 4))
    print(f"{'the error is kept' if kept else 'the error is not kept'}; "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    return 0 if kept else 1


def family(
    rng: np.random.Generator, patients: int, gains: Sequence[float], luck: float, runs: int
) -> np.ndarray:
    """Scores, (arm, patient, run), the twin's first."""
    level = 2.6 - 0.7 * rng.gamma(2.0, size=patients)  # a long tail of hard patients
    level[rng.random(patients) < 0.03] -= 3  # near-failures
    arms = len(gains) + 1
    gain = np.array([0.0, *gains])[:, None, None] * rng.normal(1, 0.7, (arms, patients, 1))
    logits = (
        level[:, None] + gain + rng.normal(0, luck, (arms, 1, runs))
        + rng.normal(0, NOISE, (arms, patients, runs))
    )  # fmt: skip
    scores: np.ndarray = special.expit(logits)
    return scores


def truth(gains: Sequence[float]) -> np.ndarray:
    """The effects, as the mean of a very large population."""
    rng, parts = np.random.default_rng(2), []
    for _ in range(10):
        scores = family(rng, 50_000, gains, 0.0, 1).mean(axis=(1, 2))
        parts.append(scores[1:] - scores[0])
    effects: np.ndarray = np.mean(parts, axis=0)
    return effects


def race(scores: np.ndarray, shares: Sequence[float], margin: float) -> list[Decision]:
    runs = tuple((0, seed) for seed in range(scores.shape[2]))
    entries = [
        Entry("here", (str(arm), "twin"), runs, np.stack([own, scores[0]]))
        for arm, own in enumerate(scores[1:])
    ]
    return decide(entries, shares, margin)


def aa(patients: int, luck: float, repeats: int) -> bool:
    rng, shares = np.random.default_rng([1, patients, round(100 * luck)]), error_shares(RUNS)
    wrong = 0
    for _ in range(repeats):
        decisions = race(family(rng, patients, [0.0] * 4, luck, RUNS), shares, margin=0.0)
        wrong += any(decision.verdict != "undecided" for decision in decisions)
    print(
        f"A/A, {patients:>3} patients, luck {luck:.2f}: {wrong / repeats:.1%} of the families name "
        "a winner", flush=True,
    )  # fmt: skip
    return wrong / repeats <= 0.05


def equivalence(patients: int, repeats: int) -> bool:
    [margin] = truth([GAIN])
    rng, shares = np.random.default_rng([3, patients]), error_shares(RUNS)
    wrong, any_wrong = 0, 0
    for _ in range(repeats):
        decisions = race(family(rng, patients, [GAIN] * 4, LUCK, RUNS), shares, float(margin))
        false = sum(decision.verdict == "equivalent" for decision in decisions)
        wrong, any_wrong = wrong + false, any_wrong + (false > 0)
    print(
        f"at the margin of {margin:.4f}, {patients:>3} patients: {wrong / repeats / 4:.1%} of the "
        f"comparisons are called equivalent, {any_wrong / repeats:.1%} of the families hold one",
        flush=True,
    )
    return wrong / repeats / 4 <= 0.05


def saving(gains: Sequence[float], patients: int, luck: float, repeats: int) -> None:
    rng, effects = np.random.default_rng([4, patients]), truth(gains)
    run, given_up, settled, once, wrong = 0, 0, 0, 0, 0
    for _ in range(repeats):
        scores = family(rng, patients, gains, luck, RUNS)
        decisions = race(scores, error_shares(RUNS), MARGIN)
        had = [decision.interim.runs for decision in decisions if decision.interim]
        run += sum(had) + max(had)
        settled += sum(decision.verdict != "undecided" for decision in decisions)
        given_up += sum(
            decision.verdict == "undecided" and runs < RUNS
            for decision, runs in zip(decisions, had, strict=True)
        )
        wrong += any(map(_wrong, decisions, effects))
        once += sum(one.verdict != "undecided" for one in race(scores, WHOLE, MARGIN))
    whole = repeats * len(gains)
    told = ", ".join(f"{effect:.3f}" for effect in effects)
    ran = run / repeats / (len(gains) + 1) / RUNS
    print(
        f"effects of {told}, {patients:>3} patients, luck {luck:.2f}: {ran:.0%} of the trainings "
        f"run, {settled / whole:.0%} of the comparisons settled, {given_up / whole:.0%} given up; "
        f"{wrong / repeats:.1%} of the families hold a wrong verdict; by one test after all "
        f"{once / whole:.0%} settled",
        flush=True,
    )


def _wrong(decision: Decision, effect: float) -> bool:
    if decision.verdict == "equivalent":
        return abs(effect) >= MARGIN
    return decision.verdict == "worse" or (decision.verdict == "better" and effect < 1e-3)


if __name__ == "__main__":
    sys.exit(main())
