"""What a smaller budget of trials would have said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.table import Column, Table, number, plain_columns
from voxbench.analyses.tuning import Studied, named
from voxbench.records.record import Arm
from voxbench.stats.best_of import best_intervals, expected_best


@dataclass(frozen=True)
class BestOf:
    """What so many trials of a study give.

    Attributes:
        k: trials.
        expected: best of k of them at random.
        low, high: of the median of that; NaN where the trials don't tell.
        found: best of the first k, as they ran.
    """

    arm: Arm
    k: int
    expected: float
    low: float
    high: float
    found: float


def best_of_k(study: Studied) -> list[BestOf]:
    """For k from one trial to all of them."""
    scores = study.scores
    expected, (low, high) = expected_best(scores), best_intervals(scores)
    found = np.maximum.accumulate(scores)
    columns = zip(expected, low, high, found, strict=True)
    return [BestOf(study.arm, k, *map(float, own)) for k, own in enumerate(columns, start=1)]


_NUMBERS = ("k", "expected", "low", "high", "found")


def _interval(low: float, high: float) -> str:
    one = number(3)
    return f"[{one(low)}, {one(high)}]"


def best_table(studies: Sequence[Studied]) -> Table:
    """What a smaller budget would have said."""
    return Table(
        "tuning-best-of-k",
        "Best of k trials",
        "Validation Dice. Expected: the mean over all choices of k trials without replacement, "
        "unbiased for independent trials (Tang et al. 2020). The interval is that of its median "
        "by order statistics, for any distribution; a dash is an end that so few trials don't "
        "tell. Found: the best of the first k, as they ran. Trials of tpe are not independent, "
        "later ones are better: there, «found» tells of a smaller budget and «expected» says too "
        "much.",
        [
            *plain_columns("task", "fraction", "adaptation", "arm"),
            Column("k", number=True),
            Column("expected", show=number(3), number=True),
            Column("median [95%]", ("low", "high"), _interval, True),
            Column("found", show=number(3), number=True),
        ],
        [
            {**named(row.arm), **{key: getattr(row, key) for key in _NUMBERS}}
            for study in studies
            for row in best_of_k(study)
        ],
    )
