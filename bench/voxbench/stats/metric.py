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
"""As they are measured, where the reference has the structure."""

FALSE_ALARMS = {
    "false_alarms": Metric("false_alarms", "False alarms", "", -1, 0.01, 3, 1.0),
    "false_alarm_ml": Metric("false_alarm_ml", "False alarm volume", "ml", -1, 1.0, 2, math.inf),
}
"""Where the reference has not: the share of structures that are predicted all the same, and how
much of them. A prediction that failed is a false alarm of no known volume."""

CONVENTIONS = {
    "dice_flare": Metric("dice_flare", "Dice, empty is 1", "", 1, 0.01, 3, 1.0),
    "nsd_flare": Metric("nsd_flare", "NSD, empty is 1", "", 1, 0.01, 3, 1.0),
}
"""Both in one number: two empty masks score 1, a false alarm 0, as FLARE's evaluation
(github.com/JunMa11/FLARE) has Dice and NSD, and that of BraTS Dice (Isensee et al. 2020,
arXiv:2011.00848)."""

CONVENTIONS_OF = {"dice_flare": "dice", "nsd_flare": "nsd"}
ALL = METRICS | FALSE_ALARMS | CONVENTIONS


def find_metric(name: str) -> Metric:
    """The metric of that key.

    Raises:
        SpecError: there is none.
    """
    if name not in ALL:
        raise SpecError(unknown("metric", name, ALL))
    return ALL[name]
