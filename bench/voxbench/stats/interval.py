"""A mean with its interval, and what all intervals of this project have in common."""

import math
from typing import NamedTuple

import numpy as np

ALPHA = 0.05
TAILS = (ALPHA / 2, 1 - ALPHA / 2)
FEWEST_TASKS = 3  # below it the spread between tasks is a guess


class Interval(NamedTuple):
    """A mean with its interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, *values: float | np.floating) -> "Interval":
        """Of numbers of any kind."""
        return cls(*map(float, values))

    def within(self, least: float, most: float) -> "Interval":
        """The interval without what is impossible."""
        return Interval(self.mean, *(min(max(end, least), most) for end in self[1:]))


UNDEFINED = Interval(math.nan, math.nan, math.nan)
