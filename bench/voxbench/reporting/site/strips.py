"""How the scores of cases are distributed: one strip of dots an arm, as SVG in a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.table import number
from voxbench.reporting.site.material import ArmResult
from voxbench.stats.arrays import nanmean
from voxbench.stats.metric import Metric

WIDTH = 600  # of a strip's view box; it is stretched to its column


class Strip(NamedTuple):
    """One arm: dots as an SVG path, its quartiles in pixels, and the same in words."""

    arm: str
    href: str
    dots: str
    quartiles: tuple[float, float, float]
    description: str
    shown: str


class Strips(NamedTuple):
    """The arms of one fraction, best median first; ticks as (pixel, text)."""

    title: str
    metric: str
    ticks: list[tuple[float, str]]
    strips: list[Strip]


def distributions(results: Sequence[ArmResult], metric: Metric) -> list[Strips]:
    """One figure for each fraction, adaptation and setting of a task."""
    scores = [_scores(result, metric) for result in results]
    low, high = _range(np.concatenate([*scores, np.empty(0)]), metric)
    members: dict[str, list[ArmResult]] = {}
    for result in results:
        if _scores(result, metric).size:
            members.setdefault(result.heading, []).append(result)
    values = [low + (high - low) * share for share in (0, 0.25, 0.5, 0.75, 1)]
    ticks = [(_pixel(value, low, high), f"{value:.3g}") for value in values]
    return [
        Strips(heading, metric.label, ticks, _strips(own, metric, (low, high)))
        for heading, own in members.items()
    ]


def _scores(result: ArmResult, metric: Metric) -> NDArray[np.float64]:
    """The mean over runs of each patient, (patient,), without the undefined."""
    means = nanmean(result.group.scores[metric.key], axis=1)
    return np.sort(means[~np.isnan(means)])


def _strips(results: Sequence[ArmResult], metric: Metric, ends: tuple[float, float]) -> list[Strip]:
    made = []
    for result in results:
        scores = _scores(result, metric)
        low, middle, high = (float(q) for q in np.percentile(scores, (25, 50, 75)))
        show = number(metric.digits)
        description = (
            f"{len(scores)} patients: median {show(middle)}, quartiles {show(low)} and "
            f"{show(high)}, from {show(float(scores[0]))} to {show(float(scores[-1]))}"
        )
        dots = "".join(
            f"M{_pixel(float(score), *ends):g} {5 + 4 * (i % 4):g}h0"
            for i, score in enumerate(scores)
        )
        quartiles = (_pixel(low, *ends), _pixel(middle, *ends), _pixel(high, *ends))
        shown = f"{show(middle)} [{show(low)}, {show(high)}]"
        strip = Strip(result.group.arm, result.page, dots, quartiles, description, shown)
        made.append((-metric.sign * middle, strip))
    return [strip for _, strip in sorted(made, key=lambda pair: (pair[0], pair[1].arm))]


def _pixel(value: float, low: float, high: float) -> float:
    """Where a value lies, with room for half a dot at both ends."""
    return round(5 + (WIDTH - 10) * (value - low) / (high - low), 1)


def _range(scores: NDArray[np.float64], metric: Metric) -> tuple[float, float]:
    """From the tenth below the lowest score to 1; a distance starts at 0."""
    if metric.sign > 0:
        return min(float(np.floor(10 * scores.min(initial=0.9)) / 10), 0.9), 1.0
    most = float(scores.max(initial=1.0))
    step = 10 ** np.floor(np.log10(most))
    return 0.0, float(np.ceil(most / step) * step)
