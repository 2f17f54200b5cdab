"""Does more pre-training help? Effects against volumes, masks and hours of pre-training."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from voxbench.analyses.curves import on_patients
from voxbench.analyses.groups import Where
from voxbench.analyses.pairing import Pair
from voxbench.analyses.table import Column, Table, as_row, interval_column, or_dash, plain_columns
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import estimate
from voxbench.stats.interval import TAILS, UNDEFINED, Interval
from voxbench.stats.metric import Metric
from voxbench.stats.paired import FEWEST_PATIENTS
from voxbench.stats.trend import Answer, answer, change_along

AMOUNTS = ("volumes", "masks", "gpu_hours", "cpu_hours")
LEAST_RATIO = 2  # of the largest to the smallest amount, for a line through them to mean much


@dataclass(frozen=True)
class Trend:
    """The effect of a family of arms that differ in the amount of pre-training.

    Attributes:
        family: the baseline's name; arms: its members, from least to most.
        amount: volumes, masks, gpu_hours or cpu_hours of pre-training.
        least, most: of it; points: distinct amounts.
        change: of arm − twin from least to most along the line through all points
            against the amount's logarithm; positive is better also for distances.
        answer: flat if the interval lies within ±margin; rising or falling if it excludes 0.
        refused: why there is no answer.
    """

    where: Where
    family: str
    arms: tuple[str, ...]
    amount: str
    least: float
    most: float
    points: int
    change: Interval
    answer: Answer
    refused: str


def trends(pairs: Sequence[Pair], margin: float) -> list[Trend]:
    """A trend for each family with at least two arms, by each amount that is known."""
    families: dict[tuple[Where, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.other and pair.arm.runs:
            families[pair.arm.where, _family(pair), pair.name].append(pair)
    found = []
    for members in families.values():
        for amount in AMOUNTS if len(members) > 1 else ():
            amounts = np.array([getattr(pair.arm.scale, amount) for pair in members])
            if (amounts > 0).all():
                found.append(_trend(members, amount, amounts, margin))
    return found


def _trend(pairs: Sequence[Pair], amount: str, amounts: Array, margin: float) -> Trend:
    order = np.argsort(amounts, kind="stable")
    members, amounts = [pairs[i] for i in order], amounts[order]
    refused = Trend(
        members[0].arm.where, _family(members[0]), tuple(pair.arm.arm for pair in members), amount,
        float(amounts[0]), float(amounts[-1]), len(set(amounts)), UNDEFINED, "",
        f"the amounts differ by less than {LEAST_RATIO} times",
    )  # fmt: skip
    if amounts[-1] < LEAST_RATIO * amounts[0]:
        return refused
    patients = sorted({p for pair in members for p in pair.arm.patients})
    samples = [on_patients(pair, patients) for pair in members]
    fewest = min(int((~np.isnan(sample.values[0])).any(axis=1).sum()) for sample in samples)
    if fewest < FEWEST_PATIENTS:
        return replace(refused, refused=f"an arm shares {fewest} scored patients with its twin")
    found = [estimate([sample]) for sample in samples]
    sign = members[0].metric.sign
    point = sign * np.array([-np.diff(one.points[0])[0] for one in found])
    drawn = sign * np.stack([-np.diff(one.drawn[0], axis=1)[:, 0] for one in found], axis=1)
    change, each = change_along(amounts, point[None])[0], change_along(amounts, drawn)
    low, high = np.quantile(each, TAILS)
    word = answer(low, high, margin)
    return replace(refused, change=Interval.of(change, low, high), answer=word, refused="")


def _family(pair: Pair) -> str:
    return pair.arm.label.partition("[")[0]


def trend_table(pairs: Sequence[Pair], metric: Metric, margin: float) -> Table:
    """The trend of every family by every amount."""
    return Table(
        f"pretraining-scale-{metric.key}",
        "Does more pre-training help",
        f"Change of arm − twin by {metric.title} from the least to the most pre-training, along a "
        f"line in its logarithm, positive is better; flat: the 95% interval lies within "
        f"±{margin:g}.",
        [
            *plain_columns("task", "adaptation", "fraction", "family", "amount"),
            Column("from", ("least",), _amount, True),
            Column("to", ("most",), _amount, True),
            Column("points", number=True),
            interval_column("change [95%]", "change", metric.digits, signed=True),
            Column("answer", show=or_dash),
            Column("no answer because", ("refused",)),
        ],
        [_row(trend) for trend in trends(pairs, margin)],
    )


def _amount(value: float) -> str:
    return f"{value:,.4g}"


def _row(trend: Trend) -> dict[str, Any]:
    return {**as_row(trend, "setting"), "arms": " < ".join(trend.arms)}
