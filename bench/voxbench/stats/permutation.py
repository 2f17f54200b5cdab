"""The sign-flip permutation test: paired differences whose signs are left to chance."""

import numpy as np

from voxbench.stats.arrays import Array
from voxbench.stats.counts import RESAMPLES, SEED

_EXACT = 13  # patients up to which all patterns of signs are fewer than the resamples
_ROWS = 250


def sign_flip(values: Array, contrasts: Array | None = None, resamples: int = RESAMPLES) -> Array:
    """Two-sided p of the mean of each column, or of each contrast of columns, against 0.

    A paired difference is as likely as its negative if arms do not differ (Fisher 1935; Good 2005,
    «Permutation, Parametric and Bootstrap Tests of Hypotheses»). All patterns are counted up to
    13 patients, else `resamples` random ones, with 1 added to the count and the number of
    patterns, so that p is never 0 (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585). All
    comparisons share the patterns.

    Args:
        values: (patient, column): differences, or with `contrasts` the scores of arms. NaN is an
            undefined patient: it is left out of its column; scores with contrasts need all.
        contrasts: (column, comparison), for instance 1 and −1 for a pair of arms.
        resamples: random patterns.

    Returns:
        (comparison,); NaN where no patient is defined, 1 where all differences are 0.
    """
    contrasts = np.eye(values.shape[1]) if contrasts is None else contrasts
    undefined = np.isnan(values)
    known = np.where(undefined, 0.0, values)
    observed = np.abs(known.sum(axis=0) @ contrasts)
    scale = np.abs(known).sum(axis=0) @ np.abs(contrasts)
    reached = np.zeros(len(observed), dtype=np.int64)
    exact = len(values) <= _EXACT
    patterns = 2 ** len(values) if exact else resamples
    for start in range(0, patterns, _ROWS):
        rows = min(_ROWS, patterns - start)
        signs = (_all if exact else _random)(start, rows, len(values))
        sums = np.abs(signs @ known @ contrasts)
        reached += (sums >= observed - 1e-12 * scale).sum(axis=0)
    p = reached / patterns if exact else (reached + 1) / (patterns + 1)
    nothing = (~undefined).sum(axis=0) @ np.abs(contrasts) == 0
    return np.where(nothing, np.nan, p)


def pair_contrasts(arms: int) -> tuple[Array, list[tuple[int, int]]]:
    """The contrast of every pair of arms, (arm, pair), and the pairs."""
    pairs = [(i, j) for i in range(arms) for j in range(i + 1, arms)]
    contrasts = np.zeros((arms, len(pairs)))
    for column, (i, j) in enumerate(pairs):
        contrasts[i, column], contrasts[j, column] = 1.0, -1.0
    return contrasts, pairs


def _all(start: int, rows: int, patients: int) -> Array:
    patterns = np.arange(start, start + rows)[:, None] >> np.arange(patients)
    return (1 - 2 * (patterns & 1)).astype(np.float64)


def _random(start: int, rows: int, patients: int) -> Array:
    rng = np.random.default_rng([SEED, start, patients])
    words = rng.integers(0, 256, size=(rows, (patients + 7) // 8), dtype=np.uint8)
    bits = np.unpackbits(words, axis=1, count=patients)
    return 1 - 2 * bits.astype(np.float64)
