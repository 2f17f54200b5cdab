"""Tables of what pre-training is worth in labels, how it scales, and what it costs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from voxbench.analyses.effects import Pair
from voxbench.analyses.groups import Group
from voxbench.analyses.table import DASH, Column, Table, interval, number
from voxbench.stats import label_efficiency as efficiency
from voxbench.stats.frontier import frontier
from voxbench.stats.label_efficiency import Curve, Vanishing, Worth
from voxbench.stats.ladder import ladders
from voxbench.stats.metric import Metric
from voxbench.stats.trend import trends


def scaling_tables(
    groups: Sequence[Group], pairs: Sequence[Pair], metric: Metric, margin: float
) -> list[Table]:
    """Label efficiency, vanishing benefit, power laws, pre-training scale, and the frontier."""
    found = [ladder for ladder in ladders(pairs) if len(ladder.labels) > 1]
    return [
        _worth_table([row for ladder in found for row in efficiency.worth(ladder)], metric),
        _vanishing_table([efficiency.vanishing(ladder, margin) for ladder in found], metric),
        _curve_table(efficiency.curves(found), metric),
        _trend_table(pairs, metric, margin),
        _frontier_table(groups, metric),
    ]


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


def _worth_table(rows: Sequence[Worth], metric: Metric) -> Table:
    return Table(
        f"labels-{metric.key}",
        "What pre-training is worth in labels",
        f"By {metric.title}: the twin needs k times the labelled patients for the arm's score; "
        "by the twin's power law and by interpolation between its points, with 95% bootstrap "
        "intervals. «…» is an end that the twin's fractions don't reach.",
        [
            *_names(),
            Column("against", ("other",)),
            Column("fraction"),
            Column("labelled", ("labels",), number(0), True),
            Column("k, fitted [95%]", ("fitted", "fitted_low", "fitted_high"), times, True),
            Column("k, interpolated [95%]", ("direct", "direct_low", "direct_high"), times, True),
            Column("not fitted because", ("refused",)),
        ],
        [asdict(row) for row in rows],
    )


def _names() -> list[Column]:
    return [
        Column("task"),
        Column("adaptation"),
        Column("arm"),
    ]


def _vanishing_table(rows: Sequence[Vanishing], metric: Metric) -> Table:
    def place(labels: float, low: float, high: float) -> str:
        return DASH if labels != labels else f"{labels:.0f} {_span(low, high, 0)}"

    return Table(
        f"vanishing-{metric.key}",
        "Where the benefit vanishes",
        f"By {metric.title}: labelled patients from which on arm − twin stays within the margin, "
        "between points linear in log labels, with 95% bootstrap interval.",
        [
            *_names(),
            Column("labelled [95%]", ("labels", "low", "high"), place, True),
            Column("no such point because", ("refused",)),
        ],
        [asdict(row) for row in rows],
    )


def _curve_table(rows: Sequence[Curve], metric: Metric) -> Table:
    bounds = ("ceiling", "ceiling_low", "ceiling_high")
    negated = "" if metric.sign > 0 else " For distances the score is the negative distance."
    return Table(
        f"power-law-{metric.key}",
        "Power laws",
        f"{metric.title} = ceiling − gap · n^−exponent over labelled patients n, with gap ≥ 0 and "
        f"no ceiling above the best possible; 95% bootstrap intervals.{negated}",
        [
            *_names(),
            Column("points", number=True),
            Column("ceiling [95%]", bounds, interval(metric.digits), True),
            Column(
                "exponent [95%]", ("exponent", "exponent_low", "exponent_high"), interval(2), True
            ),
            Column("error", show=number(metric.digits), number=True),
            Column("note", ("refused",)),
        ],
        [asdict(row) for row in rows],
    )


def _trend_table(pairs: Sequence[Pair], metric: Metric, margin: float) -> Table:
    return Table(
        f"pretraining-scale-{metric.key}",
        "Does more pre-training help",
        f"Change of arm − twin by {metric.title} from the least to the most pre-training, along a "
        f"line in its logarithm, positive is better; flat: the 95% interval lies within "
        f"±{margin:g}.",
        [
            Column("task"),
            Column("adaptation"),
            Column("fraction"),
            Column("family"),
            Column("amount"),
            Column("from", ("least",), _amount, True),
            Column("to", ("most",), _amount, True),
            Column("points", number=True),
            Column("change [95%]", ("change", "low", "high"), interval(metric.digits, True), True),
            Column("answer", show=lambda word: word or DASH),
            Column("no answer because", ("refused",)),
        ],
        [_joined(asdict(row)) for row in trends(pairs, margin)],
    )


def _amount(value: float) -> str:
    return f"{value:,.4g}"


def _joined(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "arms": " < ".join(row["arms"])}


def _frontier_table(groups: Sequence[Group], metric: Metric) -> Table:
    def mark(on: bool) -> str:
        return "yes" if on else "no"

    hours = number(3)
    offers = frontier(groups, metric)
    return Table(
        f"frontier-{metric.key}",
        "Cost and quality",
        f"{metric.title} and hours of one fine-tuning. An arm is on a frontier if no other has a "
        "score as good for no more hours: with the weights for free, with their cost shared by all "
        "trainings here that use them, and with all of it.",
        [
            *_names(),
            Column("fraction"),
            Column(metric.title, ("score",), number(metric.digits), True),
            Column("GPU h", ("gpu_hours",), hours, True),
            Column("CPU h", ("cpu_hours",), hours, True),
            Column("pre-training GPU h", ("pretraining_gpu_hours",), hours, True),
            Column("pre-training CPU h", ("pretraining_cpu_hours",), hours, True),
            Column("uses", number=True),
            Column("weights free", ("tuning",), mark),
            Column("shared", ("amortised",), mark),
            Column("all of it", ("whole",), mark),
        ],
        [asdict(offer) for offer in offers],
    )
