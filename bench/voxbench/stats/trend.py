"""Does more pre-training help? Effects against volumes, masks and hours; «flat» is an answer."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from voxbench.analyses.effects import Pair
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import RESAMPLES, estimate
from voxbench.stats.interval import LEVEL
from voxbench.stats.ladder import on_patients
from voxbench.stats.paired import FEWEST

AMOUNTS = ("volumes", "masks", "gpu_hours", "cpu_hours")
LEAST_RATIO = 2  # of the largest to the smallest amount, for a line through them to mean much
Answer = Literal["rising", "falling", "flat", "undecided", ""]


@dataclass(frozen=True)
class Trend:
    """The effect of a family of arms that differ in the amount of pre-training.

    Attributes:
        family: the baseline's name; arms: its members, from least to most.
        amount: volumes, masks, gpu_hours or cpu_hours of pre-training.
        least, most: of it; points: distinct amounts.
        change, low, high: of arm − twin from least to most along the line through all points
            against the amount's logarithm; positive is better also for distances.
        answer: flat if the interval lies within ±margin; rising or falling if it excludes 0.
        refused: why there is no answer.
    """

    task: str
    adaptation: str
    fraction: str
    family: str
    arms: tuple[str, ...]
    amount: str
    least: float
    most: float
    points: int
    change: float
    low: float
    high: float
    answer: Answer
    refused: str


def trends(
    pairs: Sequence[Pair], margin: float, resamples: int = RESAMPLES, seed: int = 0
) -> list[Trend]:
    """A trend for each family with at least two arms, by each amount that is known."""
    families: dict[tuple[str, ...], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.other and pair.arm.runs:
            families[(*pair.arm.where, pair.arm.label.partition("[")[0], pair.name)].append(pair)
    found = []
    for members in families.values():
        for amount in AMOUNTS if len(members) > 1 else ():
            amounts = np.array([getattr(pair.arm.scale, amount) for pair in members])
            if (amounts > 0).all():
                found.append(_trend(members, amount, amounts, margin, resamples, seed))
    return found


def _trend(
    pairs: Sequence[Pair], amount: str, amounts: Array, margin: float, resamples: int, seed: int
) -> Trend:
    order = np.argsort(amounts, kind="stable")
    members, amounts = [pairs[i] for i in order], amounts[order]
    where = members[0].arm.where
    place = _Place(
        where.task, where.adaptation, where.fraction, members[0].arm.label.partition("[")[0],
        tuple(pair.arm.arm for pair in members), amount, float(amounts[0]), float(amounts[-1]),
        len(set(amounts)),
    )  # fmt: skip
    if amounts[-1] < LEAST_RATIO * amounts[0]:
        return _refused(place, f"the amounts differ by less than {LEAST_RATIO} times")
    patients = sorted({p for pair in members for p in pair.arm.patients})
    samples = [on_patients(pair, patients) for pair in members]
    fewest = min(int((~np.isnan(sample.values[0])).any(axis=1).sum()) for sample in samples)
    if fewest < FEWEST:
        return _refused(place, f"an arm shares {fewest} scored patients with its twin")
    found = [estimate([sample], resamples, seed) for sample in samples]
    sign = members[0].metric.sign
    point = sign * np.array([-np.diff(one.points[0])[0] for one in found])
    drawn = sign * np.stack([-np.diff(one.drawn[0], axis=1)[:, 0] for one in found], axis=1)
    change, each = change_along(amounts, point[None])[0], change_along(amounts, drawn)
    low, high = np.quantile(each, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Trend(*place, float(change), float(low), float(high), answer(low, high, margin), "")


class _Place(NamedTuple):
    task: str
    adaptation: str
    fraction: str
    family: str
    arms: tuple[str, ...]
    amount: str
    least: float
    most: float
    points: int


def _refused(place: _Place, why: str) -> Trend:
    return Trend(*place, math.nan, math.nan, math.nan, "", why)


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
