"""The scores that tables and curves speak of."""

import math
from typing import NamedTuple

from voxbench.errors import SpecError, unknown


class Metric(NamedTuple):
    """A score as tables speak of it.

    `sign` is +1 where more is better, −1 where less is; `margin` is what counts as practically
    the same, in `unit`. Scores are between 0 and `most`.
    """

    key: str
    title: str
    unit: str
    sign: int
    margin: float
    digits: int
    most: float

    @property
    def label(self) -> str:
        """`Dice`, `HD95 (mm)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


METRICS = {
    "dice": Metric("dice", "Dice", "", 1, 0.01, 3, 1.0),
    "nsd": Metric("nsd", "NSD", "", 1, 0.01, 3, 1.0),
    "hd95_mm": Metric("hd95_mm", "HD95", "mm", -1, 1.0, 2, math.inf),
}


def find_metric(name: str) -> Metric:
    """The metric of that key.

    Raises:
        SpecError: there is none.
    """
    if name not in METRICS:
        raise SpecError(unknown("metric", name, METRICS))
    return METRICS[name]
