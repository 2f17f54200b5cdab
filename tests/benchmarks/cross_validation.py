"""Does the interval of a cross-validated effect keep its word? Simulations with known truth.

    python tests/benchmarks/cross_validation.py [--repeats 2000]

Paired differences of two arms without a true effect; each patient is tested on in one fold. What a
training does to all its patients is drawn for each fold alone ("luck", as of seeds and of training
sets that have nothing in common), or comes from the patients whom it was trained on, most of whom
the folds share ("shared").

- how often the 95% interval holds the truth with folds as blocks, and how often where patients
  would be taken for independent values;
- the same of an interval that is as wide as one of 30 comparisons, which wants 99.83%.

Exit code 1 if an interval without anything shared leaves 95% by more than 2 standard errors.
"""

import argparse
import sys

import numpy as np
from numpy.typing import NDArray
from voxbench.stats.bootstrap import Sample, infer_mean

CASES = (
    ("20 patients, 5 folds, no luck", 20, 5, 1, 0.0, 0.0),
    ("50 patients, 5 folds, no luck", 50, 5, 1, 0.0, 0.0),
    ("100 patients, 5 folds, luck", 100, 5, 1, 0.5, 0.0),
    ("100 patients, 5 folds, 3 seeds, luck", 100, 5, 3, 0.5, 0.0),
    ("103 patients, 5 folds, much luck", 103, 5, 1, 1.0, 0.0),
    ("100 patients, 10 folds, luck", 100, 10, 1, 0.5, 0.0),
    ("100 patients, 5 folds, shared luck", 100, 5, 1, 0.0, 0.2),
    ("100 patients, 5 folds, much shared luck", 100, 5, 1, 0.0, 0.5),
)
"""Name, patients, folds, seeds, and luck in units of the patients' deviation."""
FAMILY = 30


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--repeats", type=int, default=2000)
    repeats = options.parse_args().repeats
    slack = 2 * np.sqrt(0.05 * 0.95 / repeats)
    kept = True
    print(f"{'':42} folds  patients   one of {FAMILY}")
    for name, *case, luck, shared in CASES:
        rng = np.random.default_rng(0)
        held = np.zeros(3)
        for _ in range(repeats):
            sample = _sample(rng, *case, luck, shared)
            found = infer_mean(sample, resamples=200)
            naive = infer_mean(sample._replace(folds=()), resamples=200)
            every = found.intervals(FAMILY)[0]
            for place, own in enumerate((*found.intervals(), *naive.intervals(), every)):
                held[place] += own.low <= 0 <= own.high
        folds, patients, family = held / repeats
        print(f"{name:42} {folds:.1%}  {patients:.1%}      {family:.2%}")
        kept &= bool(shared) or folds >= 0.95 - slack
    return 0 if kept else 1


def _sample(
    rng: np.random.Generator, patients: int, folds: int, seeds: int, luck: float, shared: float
) -> Sample:
    """Differences of all patients, by trainings of their fold."""
    of = np.arange(patients) % folds
    values = rng.normal(size=patients)[:, None] + 0.5 * rng.normal(size=(patients, seeds))
    taught = _taught(rng.normal(size=patients), of, folds)
    values += luck * rng.normal(size=(folds, seeds))[of] + shared * taught[of, None]
    return Sample(values, (0,) * seeds, tuple(of.tolist()))


def _taught(lessons: NDArray[np.float64], of: NDArray[np.intp], folds: int) -> NDArray[np.float64]:
    """What a fold's training learnt from its patients, of unit variance, (fold,)."""
    means = np.array([lessons[of != fold].mean() for fold in range(folds)])
    return means * np.sqrt(len(lessons) * (1 - 1 / folds))


if __name__ == "__main__":
    sys.exit(main())
