"""Which choice matters: how much of the spread of results each of several factors explains."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxbench.stats.arrays import Array


def variance_shares(values: Array, factors: Sequence[NDArray[np.intp]]) -> Array:
    """Share of the sum of squares that each factor explains by itself, (resample, factor + 1).

    Results are modelled by additive effects of all factors, fitted by least squares. The share of a
    factor is (RSS of the model without it − RSS of the whole model) / TSS: what no other factor can
    explain (Type II sums of squares; Fox 2016, «Applied Regression Analysis», ch. 8). Last comes
    RSS of the whole model / TSS: interactions and noise. Where every combination is there once the
    shares sum to 1. NaN where all results are equal.

    Args:
        values: of each combination, (resample, combination).
        factors: level of each combination, (combination,).
    """
    centred = values - values.mean(axis=1, keepdims=True)
    total = (centred**2).sum(axis=1)
    rest = _residual(centred, factors)
    alone = [
        _residual(centred, [*factors[:place], *factors[place + 1 :]]) - rest
        for place in range(len(factors))
    ]
    parts = np.maximum(np.stack([*alone, rest], axis=1), 0.0)  # rounding
    varied = total > 1e-24 * np.maximum(1.0, (values**2).sum(axis=1))
    return np.where(varied[:, None], parts / np.where(varied, total, 1.0)[:, None], np.nan)


def _residual(centred: Array, factors: Sequence[NDArray[np.intp]]) -> Array:
    """Residual sum of squares of additive effects, (resample,)."""
    columns = [np.ones(centred.shape[1])]
    for levels in factors:
        columns += [(levels == level).astype(np.float64) for level in np.unique(levels)]
    basis, singular, _ = np.linalg.svd(np.stack(columns, axis=1), full_matrices=False)
    basis = basis[:, singular > 1e-10 * singular[0]]
    found: Array = (centred**2).sum(axis=1) - ((centred @ basis) ** 2).sum(axis=1)
    return found
