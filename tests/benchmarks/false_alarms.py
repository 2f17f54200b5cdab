"""Are false alarms found, and not made up? Simulations with known truth, seeds fixed.

    python tests/benchmarks/false_alarms.py [--repeats 2000]

Patients without a structure: an arm raises a false alarm with a chance of its own, more or less by
patient and by seed. Families of one and of four arms against a careful twin of 5%: how often an arm
is called worse or better by its false alarms. (By Dice, which is of the structures that there are,
nothing can be said of them.)

Exit code 1 if more than 5% of the families with equal arms hold a winner, beyond 2 standard errors.
"""

import argparse
import itertools
import sys

import numpy as np
from scipy import special
from voxbench.stats.interval import TAILS
from voxbench.stats.student import spread

PATIENTS, SEEDS, ARMS, CHANCES = (10, 34, 100), 3, (1, 4), (0.05, 0.15, 0.3, 1.0)
TWIN, OF_PATIENT, OF_SEED = 0.05, 1.0, 0.3  # deviations in logits


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=2000)
    repeats = options.parse_args().repeats
    bar, worst = 0.05 + 2 * (0.05 * 0.95 / repeats) ** 0.5, 0.0
    for patients, arms in itertools.product(PATIENTS, ARMS):
        told = []
        for chance in CHANCES:
            called = families(patients, arms, chance, repeats)
            if chance == TWIN:
                worst = max(worst, called)
                told.append(f"equal arms {called:.1%} winners")
            else:
                told.append(f"{chance:.0%} of alarms found in {called:.0%}")
        print(f"{patients:>3} patients without it, {arms} arms: {', '.join(told)}", flush=True)
    print(f"the worst is {worst:.1%}; {'kept' if worst <= bar else 'not kept'}")
    return 0 if worst <= bar else 1


def families(patients: int, arms: int, chance: float, repeats: int) -> float:
    """Share of the families in which an arm is told from the twin by its false alarms."""
    rng = np.random.default_rng([8, patients, arms, round(100 * chance)])
    level = rng.normal(0, OF_PATIENT, (repeats, 1, patients, 1))
    chances = np.array([TWIN, *[chance] * arms])[:, None, None]
    luck = rng.normal(0, OF_SEED, (repeats, arms + 1, 1, SEEDS))
    raised = rng.random((repeats, arms + 1, patients, SEEDS)) < special.expit(
        special.logit(np.minimum(chances, 1 - 1e-9)) + level + luck
    )
    differences = raised[:, 1:].astype(float) - raised[:, :1]
    flat = differences.reshape(-1, patients, SEEDS)
    mean, known = flat.mean(axis=(1, 2)), spread(flat, (0,) * SEEDS)
    apart = np.abs(mean) > known.reach(TAILS[0] / arms)
    return float(apart.reshape(repeats, -1).any(axis=1).mean())


if __name__ == "__main__":
    sys.exit(main())
