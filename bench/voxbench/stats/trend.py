"""Does an effect change along an amount? «Flat» is an answer."""

from typing import Literal

import numpy as np

from voxbench.stats.arrays import Array

Answer = Literal["rising", "falling", "flat", "undecided", ""]


def change_along(amounts: Array, effects: Array) -> Array:
    """Change from the least to the most along the least-squares line in log amount, (curve,)."""
    logs = np.log(amounts)
    away = logs - logs.mean()
    change: Array = effects @ away / (away @ away) * (logs[-1] - logs[0])
    return change


def answer(low: float, high: float, margin: float) -> Answer:
    """Flat first: a change within the margin is none, even if it is detectable."""
    if -margin < low and high < margin:
        return "flat"
    if low > 0:
        return "rising"
    return "falling" if high < 0 else "undecided"
