"""What a pre-training is worth in labels, and where its benefit vanishes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.curves import LearningCurves
from voxbench.analyses.groups import Where
from voxbench.analyses.table import DASH, Column, Table, as_row, number, plain_columns
from voxbench.stats.interval import TAILS, UNDEFINED, Interval
from voxbench.stats.learning_curve import labels_to_reach, last_crossing
from voxbench.stats.metric import Metric
from voxbench.stats.paired import FEWEST_PATIENTS
from voxbench.stats.power_law import FEWEST_POINTS, PowerLaw, fit_power_law

ABOVE = "the arm is above the twin's highest score"
BELOW = "the arm is below the twin's lowest score"


@dataclass(frozen=True)
class Worth:
    """«At this fraction the pre-training is worth k× the labels»: the twin needs k times as many.

    Attributes:
        labels: patients that the arm was trained on.
        fitted: k by the twin's power law; NaN where refused.
        direct: k between the twin's own points.
        refused: why there is no fitted k; "" where there is one.
        refused_direct: why there is no direct one.
        note: what a reader must know of the intervals.

    An infinite upper bound means that the data set no limit: too many resamples reach beyond the
    twin's largest fraction. A lower bound of 0 is the same below its smallest.
    """

    where: Where
    labels: float
    arm: str
    other: str
    fitted: Interval
    direct: Interval
    refused: str
    refused_direct: str
    note: str

    @property
    def shown(self) -> Interval | None:
        """The bounded k, else one whose interval has one end."""
        found = (k for k in (self.fitted, self.direct) if k.low > 0 or math.isfinite(k.high))
        return self.bounded or next(found, None)

    @property
    def unreached(self) -> bool:
        """There is no k because the twin gets as far with no number of labels that was tried."""
        return self.shown is None and ABOVE in (self.refused, self.refused_direct)

    @property
    def bounded(self) -> Interval | None:
        """The fitted k, else the direct one, whose interval has two ends."""
        found = (k for k in (self.fitted, self.direct) if k.low > 0 and math.isfinite(k.high))
        return next(found, None)


@dataclass(frozen=True)
class Vanishing:
    """The labelled patients from which on arm − twin stays within the margin.

    Attributes:
        labels: NaN where `refused`; infinite high: beyond the largest fraction.
        refused: why there is no such point.
        note: what a reader must know of the interval.
    """

    where: Where
    arm: str
    other: str
    labels: Interval
    refused: str
    note: str


def worth(curves: LearningCurves) -> list[Worth]:
    """The label-efficiency multiplier at every fraction, or the reason why there is none."""
    refused, refused_direct = _unfit(curves, fewest=FEWEST_POINTS), _unfit(curves, fewest=2)
    once = None if refused else fit_power_law(curves.labels, curves.twin_scores[None], curves.best)
    drawn = None if refused else fit_power_law(curves.labels, curves.twin_drawn, curves.best)
    rows = []
    for step, (fraction, labels) in enumerate(zip(curves.fractions, curves.labels, strict=True)):
        fitted, why = _multiplier(curves, step, once, drawn, refused)
        direct, why_not = _multiplier(curves, step, None, None, refused_direct)
        where = curves.where._replace(fraction=fraction)
        note = "; ".join(_notes(curves, step))
        rows.append(
            Worth(where, float(labels), curves.arm, curves.twin, fitted, direct, why, why_not, note)
        )
    return rows


def _notes(curves: LearningCurves, step: int) -> Iterator[str]:
    if curves.single_run:
        yield curves.single_run
    if step == len(curves.labels) - 1:
        yield "the highest fraction: only a multiplier below 1 can be seen here"


def _unfit(curves: LearningCurves, fewest: int) -> str:
    """Why the twin's curve can't be read backwards, from score to labels."""
    if len(set(curves.labels)) < len(curves.labels):
        return "two fractions have as many labelled patients"
    if len(curves.labels) < fewest:
        return f"{len(curves.labels)} fractions, {fewest} are needed"
    if min(curves.patients) < FEWEST_PATIENTS:
        return f"{min(curves.patients)} test patients, {FEWEST_PATIENTS} are needed"
    gains = np.diff(curves.twin_drawn, axis=1)
    falls = np.nanquantile(gains, TAILS[1], axis=0) < 0
    if falls.any():
        step = int(np.argmax(falls))
        return (
            "the twin's curve is not monotone: it falls between "
            f"{curves.fractions[step]} and {curves.fractions[step + 1]}"
        )
    if np.nanquantile(curves.twin_drawn[:, -1] - curves.twin_drawn[:, 0], TAILS[0]) <= 0:
        return "the twin's curve is flat: more labels do not demonstrably help it"
    return ""


def _multiplier(
    curves: LearningCurves, step: int, once: PowerLaw | None, drawn: PowerLaw | None, refused: str
) -> tuple[Interval, str]:
    if refused:
        return UNDEFINED, refused
    twin, arm = curves.twin_scores[None], curves.arm_scores[None, step]
    smallest, largest = curves.labels[0], curves.labels[-1]
    point = once.labels(arm) if once else labels_to_reach(arm, curves.labels, twin)
    if not smallest <= point[0] <= largest:
        return UNDEFINED, ABOVE if point[0] > largest else BELOW
    each = (
        drawn.labels(curves.arm_drawn[:, step])
        if drawn
        else labels_to_reach(curves.arm_drawn[:, step], curves.labels, curves.twin_drawn)
    )
    each = np.where(each > largest, np.inf, np.where(each < smallest, 0.0, each))
    low, high = np.quantile(each[~np.isnan(each)], TAILS, method="inverted_cdf")
    labels = curves.labels[step]
    return Interval.of(point[0] / labels, low / labels, high / labels), ""


def vanishing(curves: LearningCurves, margin: float) -> Vanishing:
    """Where the effect falls to the margin for good, between points linear in log labels."""
    effects = curves.arm_scores - curves.twin_scores
    drawn = curves.arm_drawn - curves.twin_drawn
    refused = ""
    if len(set(curves.labels)) < 2:
        refused = f"{len(curves.labels)} fractions, 2 are needed"
    elif not (np.nanquantile(drawn, TAILS[0], axis=0) > 0).any():
        refused = "no fraction with a demonstrable benefit"
    elif not (effects > margin).any():
        refused = "the benefit is within the margin at every fraction"
    elif effects[-1] > margin:
        refused = f"still above the margin at {curves.fractions[-1]}, the largest fraction"
    if refused:
        return Vanishing(curves.where, curves.arm, curves.twin, UNDEFINED, refused, "")
    point = last_crossing(curves.labels, effects[None] - margin)[0]
    each = last_crossing(curves.labels, drawn - margin)
    low, high = np.quantile(each, TAILS, method="inverted_cdf")
    found = Interval.of(point, low, high)
    return Vanishing(curves.where, curves.arm, curves.twin, found, "", curves.single_run)


def worth_table(rows: Sequence[Worth], metric: Metric) -> Table:
    """What each pre-training is worth at each fraction, in labels."""
    return Table(
        f"labels-{metric.key}",
        "What pre-training is worth in labels",
        f"By {metric.title}: the twin needs k times the labelled patients for the arm's score; "
        "by the twin's power law and by interpolation between its points, with 95% bootstrap "
        "intervals. «…» is an end that the twin's fractions don't reach.",
        [
            *plain_columns("task", "adaptation", "arm"),
            Column("against", ("other",)),
            Column("fraction"),
            Column("labelled", ("labels",), number(0), True),
            Column("k, fitted [95%]", ("fitted", "fitted_low", "fitted_high"), times, True),
            Column("k, interpolated [95%]", ("direct", "direct_low", "direct_high"), times, True),
            Column("not fitted because", ("refused",)),
            Column("note"),
        ],
        [as_row(row, "setting") for row in rows],
    )


def vanishing_table(curves: Sequence[LearningCurves], metric: Metric, margin: float) -> Table:
    """From how many labels on the benefit of each arm is within the margin."""

    def shown(labels: float, low: float, high: float) -> str:
        return DASH if labels != labels else f"{labels:.0f} {_span(low, high, 0)}"

    return Table(
        f"vanishing-{metric.key}",
        "Where the benefit vanishes",
        f"By {metric.title}: labelled patients from which on arm − twin stays within the margin, "
        "between points linear in log labels, with 95% bootstrap interval.",
        [
            *plain_columns("task", "adaptation", "arm"),
            Column("labelled [95%]", ("labels", "low", "high"), shown, True),
            Column("no such point because", ("refused",)),
            Column("note"),
        ],
        [as_row(vanishing(own, margin), "fraction", "setting") for own in curves],
    )


def times(k: float, low: float, high: float) -> str:
    """`2.1× [1.4, 3.0]`; an end that the data don't give is open: `[1.4, …]`."""
    one = number(1)
    if k != k:
        return DASH
    return f"{one(k)}× {_span(low, high, 1)}"


def _span(low: float, high: float, digits: int) -> str:
    start = number(digits)(low) if low > 0 else "…"
    end = number(digits)(high) if high < float("inf") else "…"
    return f"[{start}, {end}]"
