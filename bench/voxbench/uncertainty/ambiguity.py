"""Does the doubt lie where raters differ, and are members as diverse as raters?

Correlation of maps and generalised energy distance as in ValUES (Kahl et al., ICLR 2024).
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Masks(NamedTuple):
    """Masks of one structure by several raters or members, as their counts.

    Attributes:
        number: of masks.
        votes: how many of them hold each voxel, (*spatial).
    """

    number: int
    votes: NDArray[np.int64]

    @classmethod
    def of(cls, masks: Iterable[NDArray[np.bool_]]) -> "Masks":
        """Of one mask after the other.

        Raises:
            ValueError: there is none.
        """
        number, votes = 0, None
        for mask in masks:
            votes = mask.astype(np.int64) if votes is None else votes + mask
            number += 1
        if votes is None:
            raise ValueError("no mask was given.")
        return cls(number, votes)

    @property
    def variance(self) -> NDArray[np.float64]:
        """Of each voxel over the masks, (*spatial)."""
        share = self.votes / self.number
        return np.asarray(share * (1 - share), np.float64)


def normalised_cross_correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The correlation of two maps, such as of uncertainty and of the variance over raters.

    Mean product of the standardised values, with the standard deviation of a sample: Pearson's r
    times (n − 1)/n of n voxels. NaN where a map is constant: raters who agree everywhere leave it
    undefined.
    """
    x, y = (np.asarray(side, np.float64) - np.mean(side, dtype=np.float64) for side in (one, other))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return math.nan
    pearson = (x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum())
    return float(pearson * (x.size - 1) / x.size)


def energy_distance(predicted: Masks, reference: Masks) -> float:
    """GED² = 2 d(P, G) − d(P, P) − d(G, G) of predicted masks and those of raters.

    d is 1 − the Dice of all ordered pairs pooled. Pairs of masks that are all empty agree: d is 0.
    """
    between = _distance(predicted, reference)
    return 2 * between - _distance(predicted, predicted) - _distance(reference, reference)


def _distance(one: Masks, other: Masks) -> float:
    """1 − pooled Dice; the intersections of all pairs are the product of the votes."""
    total = other.number * int(one.votes.sum()) + one.number * int(other.votes.sum())
    return 1 - 2 * int((one.votes * other.votes).sum()) / total if total else 0.0
