"""Does an interval over tasks hold the truth? Simulations with known truth, seeds fixed.

    python tests/benchmarks/over_tasks.py [--repeats 4000]

An arm's effect differs between tasks, normally or skewed, with a deviation of 0.02 Dice; each task
has 20 to 200 patients and 3 seeds with luck. The truth is the mean over all tasks that there could
be. How often Student's interval over tasks holds it, beside percentiles of resampled tasks.

Exit code 1 if Student's holds the truth in less than 93% with effects that are normal.
"""

import argparse
import sys

import numpy as np
from voxbench.stats.counts import task_counts
from voxbench.stats.inference import infer_over_tasks
from voxbench.stats.interval import TAILS

TASKS, BETWEEN, PATIENT, LUCK, SEEDS = (2, 3, 5, 10), 0.02, 0.05, 0.005, 3
RESAMPLES = 1000


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=4000)
    repeats = options.parse_args().repeats
    kept = True
    for kind in ("normal", "skewed"):
        for tasks in TASKS:
            points = effects(np.random.default_rng([7, tasks]), tasks, repeats, kind)
            ends = np.array(infer_over_tasks(points).intervals())
            student = np.mean((ends[:, 1] <= 0) & (ends[:, 2] >= 0))
            print(
                f"{tasks:>2} tasks, effects {kind}: "
                f"{'no interval' if np.isnan(ends[:, 1]).all() else f'{student:.1%}'}; "
                f"tasks resampled {resampled(points):.1%}"
            )
            kept &= kind != "normal" or tasks < 3 or student >= 0.93
    print("kept" if kept else "not kept")
    return 0 if kept else 1


def effects(rng: np.random.Generator, tasks: int, repeats: int, kind: str) -> np.ndarray:
    """The mean of each task as it is measured, (task, repeat); the truth is 0."""
    size = (tasks, repeats)
    true = rng.normal(0, 1, size) if kind == "normal" else rng.exponential(1, size) - 1
    patients = rng.integers(20, 201, size)
    measured = rng.normal(0, 1, size) * np.sqrt(PATIENT**2 / patients + 2 * LUCK**2 / SEEDS)
    return BETWEEN * true + measured


def resampled(points: np.ndarray) -> float:
    times = task_counts(len(points), RESAMPLES) / len(points)
    low, high = np.quantile(times @ points, TAILS, axis=0)
    return float(np.mean((low <= 0) & (high >= 0)))


if __name__ == "__main__":
    sys.exit(main())
