"""Which unlabelled cases to label next, and what that gained over drawing them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def query(names: Sequence[str], score: NDArray[Any], fraction: float = 0.5) -> list[str]:
    """The ⌊n · fraction⌋ cases with the highest score, the first named of equals.

    Raises:
        ValueError: a score is undefined, or the fraction is not in 0 … 1.
    """
    if not 0 <= fraction <= 1 or np.isnan(score).any():
        raise ValueError("the fraction is in 0 … 1, and every case has a score.")
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    return [names[place] for place in order[: math.floor(len(names) * fraction)]]


def within(names: Sequence[str], slices: Mapping[str, int], budget: int) -> list[str]:
    """The first names whose slices are within the budget together, at least one of them."""
    spent = np.cumsum([slices[name] for name in names])
    return list(names[: max(1, int((spent <= budget).sum()))])


def improvement(before: float, queried: float, drawn: float) -> float:
    """What querying gained over drawing, as a share of the Dice before: (queried − drawn)/before.

    As in ValUES (Kahl et al., ICLR 2024). NaN where nothing was found before.
    """
    return (queried - drawn) / before if before else math.nan
