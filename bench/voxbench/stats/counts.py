"""How often each task, patient and run is drawn in each resample: matrices that everybody shares.

The counts depend on how many there are to draw from, never on the scores: all
arms, pairs and metrics of a table are resampled alike, and a difference of two arms in a resample
is the difference of their estimates there.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled
from voxbench.stats.arrays import Array

RESAMPLES = 10_000
SEED = 0  # of all resampling
_AT_ONCE = 1 << 18  # draws


@lru_cache(maxsize=64)
def task_counts(tasks: int, resamples: int) -> Array:
    """How often each task is drawn, (resample, task)."""
    rng = np.random.default_rng([SEED, tasks])
    return rng.multinomial(tasks, _even(tasks), size=resamples).astype(np.float64)


@lru_cache(maxsize=8)
def patient_counts(patients: int, tasks: int, column: int, resamples: int) -> Array:
    """How often each patient is drawn, (resample, patient).

    For each time that their task, the `column`th of `tasks`, is drawn: as many as it has.
    """
    times = task_counts(tasks, resamples)[:, column].astype(np.int64)
    bits = np.random.SFC64(np.random.SeedSequence([SEED, tasks, column, patients]))
    counts = np.zeros((resamples, patients))
    rows = max(1, _AT_ONCE // max(1, patients))
    for start in range(0, resamples, rows):
        part = slice(start, start + rows)
        draws = int(times[part].sum()) * patients
        raw = bits.random_raw((draws + 1) // 2).view(np.uint32)
        _tally(raw, times[part], counts[part])
    return counts


@compiled
def _tally(raw: NDArray[np.uint32], times: NDArray[np.int64], counts: Array) -> None:
    """Turn 32 random bits a draw into a patient (Lemire 2019, doi:10.1145/3230636), and count."""
    patients, shift, at = np.uint64(counts.shape[1]), np.uint64(32), 0
    for row in range(counts.shape[0]):
        for _ in range(times[row] * counts.shape[1]):
            counts[row, (np.uint64(raw[at]) * patients) >> shift] += 1.0
            at += 1


@lru_cache(maxsize=64)
def run_counts(draws: tuple[int, ...], column: int, resamples: int) -> Array:
    """How often each run is drawn, (resample, run): draws first, then the seeds of each."""
    rng = np.random.default_rng([SEED, column, len(draws), 1])
    labels, sizes = np.unique(draws, return_counts=True)
    if len(draws) == 1:
        return np.ones((resamples, 1))
    if len(labels) == 1:
        drawn = rng.multinomial(len(draws) - 1, _even(len(draws)), size=resamples)
        return drawn.astype(np.float64)
    counts = np.zeros((resamples, len(draws)))
    chosen = rng.multinomial(len(labels) - 1, _even(len(labels)), size=resamples)
    for i, (label, size) in enumerate(zip(labels, sizes, strict=True)):
        seeds = np.flatnonzero(np.equal(draws, label))
        counts[:, seeds] = rng.multinomial(size * chosen[:, i], _even(int(size)))
    return counts


@lru_cache(maxsize=8)
def fold_counts(folds: tuple[int, ...], tasks: int, column: int, resamples: int) -> Array:
    """How often each patient of a cross-validation is drawn, (resample, patient): as their fold is.

    Of n folds n − 1 are drawn, for each time that the task is.
    """
    labels, of = np.unique(folds, return_inverse=True)
    rng = np.random.default_rng([SEED, tasks, column, len(labels), 2])
    times = task_counts(tasks, resamples)[:, column].astype(np.int64)
    drawn = rng.multinomial(times * (len(labels) - 1), _even(len(labels)))
    counts: Array = drawn.astype(np.float64)[:, of]
    return counts


def _even(n: int) -> Array:
    return np.full(n, 1 / n, dtype=np.float64)
