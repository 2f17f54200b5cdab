"""How far members agree: the mean Dice of their pairs, which needs no map of uncertainty.

The strong simple score of the benchmark of failure detection (Zenk et al. 2025,
doi:10.1016/j.media.2024.103392). Its members are label maps, of which all are kept, in bytes.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import read_only
from voxbench.metrics.overlap import count_overlap
from voxbench.stats.arrays import nanmean


def class_dice(one: NDArray[Any], other: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Dice of each class but the background, (class − 1,); NaN where neither map has it.

    The maps are (*spatial) of class indices below 256.
    """
    counts = np.zeros((256, 3), np.int64)
    first, second = (np.ascontiguousarray(side, np.uint8).reshape(-1) for side in (one, other))
    count_overlap(read_only(first), read_only(second), counts)
    alone, both = counts[1:classes, :2].sum(axis=1), 2 * counts[1:classes, 2]
    total = (alone + both).astype(np.float64)
    dice = np.full(classes - 1, math.nan)
    np.divide(both, total, out=dice, where=total > 0)
    return dice


def pairwise_dice(members: Sequence[NDArray[Any]], classes: int) -> float:
    """Mean over pairs of members, and before it over classes, of their Dice.

    A class that neither of a pair has is left out, a pair without any foreground agrees. NaN with
    fewer than two members.
    """
    pairs = [class_dice(*pair, classes) for pair in combinations(members, 2)]
    if not pairs:
        return math.nan
    dice = nanmean(np.array(pairs), axis=1)
    return float(np.where(np.isnan(dice), 1.0, dice).mean())
