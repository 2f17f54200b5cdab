"""Do the statistics keep their word? Simulations with known truth, seeds fixed.

    python tests/benchmarks/calibration.py [--repeats 1000] [--resamples 2000]

Scores are like Dice: skewed to the left, within 0…1, correlated between arms by the patient's
difficulty, with some near-failures, and with 3 seeds that shift all patients alike.

- A/A: two arms without a true difference, 3 seeds, each with luck that all patients share; how
  often a verdict names a winner.
- Coverage: how often the 95% interval of an effect, and of an arm's mean, holds the truth, with
  10, 30 and 100 patients; with one training an arm, with 3 and with 5 seeds, without
  luck and with some. The truth is the mean over a very large population.

Exit code 1 if A/A exceeds 5%, or the interval of an effect leaves 93–97% by more than the
chance of so many repeats, 2 standard errors (±1.4 points with 1,000): some cases are at 97%.
"""

import argparse
import sys

import numpy as np
from scipy import stats
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.paired import effect_verdict

PATIENTS = (10, 30, 100)
SEEDS = 3
CASES = (
    (1, 0.0, "1 training"), (3, 0.0, "3 seeds"), (3, 0.05, "3 seeds with luck"),
    (3, 0.15, "3 seeds with much luck"), (5, 0.0, "5 seeds"), (5, 0.05, "5 seeds with luck"),
)  # fmt: skip
LUCK, NOISE = 0.05, 0.25  # of a seed and of a training on a patient, in logits


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=1000)
    options.add_argument("--resamples", type=int, default=2000)
    given = options.parse_args()
    kept = True
    for patients in PATIENTS:
        kept &= aa(patients, given.repeats, given.resamples)
        kept &= coverage(patients, given.repeats, given.resamples)
    print("calibrated" if kept else "not calibrated")
    return 0 if kept else 1


def arms(
    rng: np.random.Generator, patients: int, gain: float, luck: float, seeds: int = SEEDS
) -> np.ndarray:
    """Scores of two arms, (2, patient, seed)."""
    ease = stats.gamma.rvs(2.0, size=patients, random_state=rng)  # a long tail of hard patients
    level = 2.6 - 0.7 * ease
    level[rng.random(patients) < 0.03] -= 3  # near-failures
    gains = np.array([0.0, gain])[:, None, None] * rng.normal(1, 0.7, (1, patients, 1))
    logits = (
        level[:, None] + gains + rng.normal(0, luck, (2, 1, seeds))
        + rng.normal(0, NOISE, (2, patients, seeds))
    )  # fmt: skip
    return 1 / (1 + np.exp(-logits))


def aa(patients: int, repeats: int, resamples: int) -> bool:
    rng = np.random.default_rng([1, patients])
    wrong = 0
    for _ in range(repeats):
        twin, arm = arms(rng, patients, 0.0, LUCK)
        interval = bootstrap(Sample(arm - twin, (0,) * SEEDS), resamples=resamples)
        wrong += effect_verdict(interval, patients, margin=0.0) in ("better", "worse")
    print(f"A/A, {patients:>3} patients, {SEEDS} seeds: {wrong / repeats:.1%} winners")
    return wrong / repeats <= 0.05


def coverage(patients: int, repeats: int, resamples: int) -> bool:
    kept = True
    for seeds, luck, name in CASES:
        truth = arms(np.random.default_rng(2), 500_000, 0.3, 0.0).mean(axis=(1, 2))
        rng = np.random.default_rng([3, patients, seeds])
        held = {"effect": 0, "mean": 0}
        for _ in range(repeats):
            twin, arm = arms(rng, patients, 0.3, luck, seeds)
            for of, values, true in (
                ("effect", arm - twin, truth[1] - truth[0]), ("mean", arm, truth[1])
            ):  # fmt: skip
                found = bootstrap(Sample(values, (0,) * seeds), resamples=resamples)
                held[of] += found.low <= true <= found.high
        for of, count in held.items():
            share = f"{count / repeats:.1%}"
            print(f"coverage of the {of:<6}, {patients:>3} patients, {name}: {share}")
        slack = 2 * (0.95 * 0.05 / repeats) ** 0.5
        kept &= abs(held["effect"] / repeats - 0.95) <= 0.02 + slack
    return kept


if __name__ == "__main__":
    sys.exit(main())
