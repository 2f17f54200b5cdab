"""Does an effect change along an amount? «Flat» is an answer."""

from typing import Literal

import numpy as np

from voxbench.stats.arrays import Array

Answer = Literal["rising", "falling", "flat", "undecided", ""]


def change_along(amounts: Array, effects: Array) -> Array:
    """Change from the least to the most along the least-squares line in log amount, (…,).

    Args:
        amounts: rising, (step,).
        effects: (…, step).
    """
    logs = np.log(amounts)
    away = logs - logs.mean()
    change: Array = effects @ away / (away @ away) * (logs[-1] - logs[0])
    return change
