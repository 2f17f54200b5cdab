"""Masks that miss no more than was promised: conformal risk control."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def miss_rates(
    probability: NDArray[Any], reference: NDArray[np.bool_], thresholds: NDArray[Any]
) -> NDArray[np.float64]:
    """Share of a structure that the mask `probability >= threshold` misses, (threshold,).

    NaN where the reference is empty.
    """
    inside = np.sort(probability[reference])
    if not inside.size:
        return np.full(len(thresholds), math.nan)
    return np.asarray(np.searchsorted(inside, thresholds) / inside.size, np.float64)


def controlled_threshold(
    losses: NDArray[np.float64], thresholds: NDArray[Any], alpha: float
) -> float:
    """The highest threshold whose expected loss on a new case is at most `alpha`.

    Conformal risk control (Angelopoulos et al., ICLR 2024): of n exchangeable cases the mean loss
    may be alpha − (1 − alpha)/n, for losses up to 1.

    Args:
        losses: of validation cases, (case, threshold), rising with the threshold, in [0, 1].
        thresholds: rising.
        alpha: the loss that is promised.

    Returns:
        The threshold; −inf, which takes every voxel, where no threshold can promise so much.
    """
    cases = len(losses)
    allowed = (cases * losses.mean(axis=0) + 1) / (cases + 1) <= alpha
    within = int(np.argmin(np.append(allowed, False)))
    return float(thresholds[within - 1]) if within else -math.inf
