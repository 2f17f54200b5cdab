"""Does more pre-training help? Effects against volumes, masks and hours of pre-training."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from voxbench.analyses.curves import on_patients
from voxbench.analyses.groups import Run, Where
from voxbench.analyses.pairing import Pair
from voxbench.analyses.shared import sample_of
from voxbench.analyses.table import Column, Table, as_row, interval_column, or_dash, plain_columns
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample, infer_mean
from voxbench.stats.inference import joined, judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.metric import Metric
from voxbench.stats.paired import FEWEST_PATIENTS, interval_verdict
from voxbench.stats.trend import Answer, change_along

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
            It is the mean over patients and runs that all arms share, with an interval that holds
            at once with those of all trends.
        answer: flat if the interval lies within ±margin; rising or falling if it excludes 0.
        refused: why there is no answer.
        note: what a reader must know of the interval.
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
    note: str = ""


def trends(pairs: Sequence[Pair], margin: float) -> list[Trend]:
    """A trend for each family with at least two arms, by each amount that is known.

    Their intervals hold at once for all that have an answer.
    """
    families: dict[tuple[Where, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.other and pair.arm.runs:
            families[pair.arm.where, _family(pair), pair.name].append(pair)
    found = []
    for members in families.values():
        for amount in AMOUNTS if len(members) > 1 else ():
            amounts = np.array([getattr(pair.arm.scale, amount) for pair in members])
            if (amounts > 0).all():
                found.append(_trend(members, amount, amounts))
    judged = iter(judge(joined([infer_mean(sample) for _, sample in found if sample])))
    return [
        _answered(trend, next(judged).together, margin) if sample else trend
        for trend, sample in found
    ]


def _trend(pairs: Sequence[Pair], amount: str, amounts: Array) -> tuple[Trend, Sample | None]:
    """A trend without its answer, and its change of each patient and run; None if refused."""
    order = np.argsort(amounts, kind="stable")
    members, amounts = [pairs[i] for i in order], amounts[order]
    trend = Trend(
        members[0].arm.where, _family(members[0]), tuple(pair.arm.arm for pair in members), amount,
        float(amounts[0]), float(amounts[-1]), len(set(amounts)), UNDEFINED, "", "",
    )  # fmt: skip
    if amounts[-1] < LEAST_RATIO * amounts[0]:
        why = f"the amounts differ by less than {LEAST_RATIO} times"
        return replace(trend, refused=why), None
    runs = [run for run in members[0].runs if all(run in pair.runs for pair in members)]
    if not runs:
        return replace(trend, refused="no draw and seed in common"), None
    patients = sorted({p for pair in members for p in pair.arm.patients})
    effects = np.stack([_on_runs(pair, patients, runs) for pair in members], axis=2)
    changes = members[0].metric.sign * change_along(amounts, effects)
    owners = [(patient, patient) for patient in patients]
    sample = sample_of(changes, owners, runs, [pair.arm for pair in members])
    scored = int((~np.isnan(sample.values)).any(axis=1).sum())
    if scored < FEWEST_PATIENTS:
        return replace(trend, refused=f"the arms share {scored} scored patients"), None
    note = "1 run: the interval leaves out the spread between seeds" if len(runs) == 1 else ""
    return replace(trend, note=note), sample


def _on_runs(pair: Pair, patients: Sequence[str], runs: Sequence[Run]) -> Array:
    """Arm − twin, (patient, run)."""
    ours, theirs = on_patients(pair, patients).values
    effects: Array = ours - theirs
    return effects[:, [pair.runs.index(run) for run in runs]]


def _answered(trend: Trend, change: Interval, margin: float) -> Trend:
    words: dict[str, Answer] = {"equivalent": "flat", "better": "rising", "worse": "falling"}
    word = words.get(interval_verdict(change, margin, 1), "undecided")
    return replace(trend, change=change, answer=word)


def _family(pair: Pair) -> str:
    return pair.arm.label.partition("[")[0]


def trend_table(pairs: Sequence[Pair], metric: Metric, margin: float) -> Table:
    """The trend of every family by every amount."""
    return Table(
        f"pretraining-scale-{metric.key}",
        "Does more pre-training help",
        f"Change of arm − twin by {metric.title} from the least to the most pre-training, along a "
        f"line in its logarithm, positive is better; intervals hold at once for all rows with 95%; "
        f"flat: it lies within ±{margin:g}.",
        [
            *plain_columns("task", "adaptation", "fraction", "family", "amount"),
            Column("from", ("least",), _amount, True),
            Column("to", ("most",), _amount, True),
            Column("points", number=True),
            interval_column("change [95%, all rows]", "change", metric.digits, signed=True),
            Column("answer", show=or_dash),
            Column("no answer because", ("refused",)),
            Column("note"),
        ],
        [_row(trend) for trend in trends(pairs, margin)],
    )


def _amount(value: float) -> str:
    return f"{value:,.4g}"


def _row(trend: Trend) -> dict[str, Any]:
    return {**as_row(trend, "setting"), "arms": " < ".join(trend.arms)}
