"""How the scores of cases are distributed: one strip of dots an arm, as SVG in a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report.rows import titled
from bench.report.tables import number
from bench.site.material import Result
from bench.stats.frame import nanmean
from bench.stats.metric import Metric

WIDTH, HEIGHT = 600, 22


class Strip(NamedTuple):
    """One arm: dots as an SVG path, its quartiles in pixels, and the same in words."""

    arm: str
    href: str
    dots: str
    quartiles: tuple[float, float, float]
    words: str
    shown: str


class Strips(NamedTuple):
    """The arms of one fraction, best median first; ticks as (pixel, text)."""

    title: str
    metric: str
    ticks: list[tuple[float, str]]
    strips: list[Strip]


def distributions(results: Sequence[Result], metric: Metric) -> list[Strips]:
    """One figure for each fraction, adaptation and setting of a task."""
    top = 1.0
    if not metric.sign > 0:
        largest = [float(_scores(result, metric).max(initial=1.0)) for result in results]
        top = _round_up(max(largest, default=1.0))
    places: dict[str, list[Result]] = {}
    for result in results:
        if _scores(result, metric).size:
            places.setdefault(result.place, []).append(result)
    ticks = [(_pixel(top * share, top), f"{top * share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    return [
        Strips(place, titled(metric), ticks, _strips(own, metric, top))
        for place, own in places.items()
    ]


def _scores(result: Result, metric: Metric) -> NDArray[np.float64]:
    """The mean over runs of each patient, (patient,), without the undefined."""
    means = nanmean(result.group.scores[metric.key], axis=1)
    return np.sort(means[~np.isnan(means)])


def _strips(results: Sequence[Result], metric: Metric, top: float) -> list[Strip]:
    made = []
    for result in results:
        scores = _scores(result, metric)
        low, middle, high = (float(q) for q in np.percentile(scores, (25, 50, 75)))
        show = number(metric.digits)
        words = (
            f"{len(scores)} patients: median {show(middle)}, quartiles {show(low)} and "
            f"{show(high)}, from {show(float(scores[0]))} to {show(float(scores[-1]))}"
        )
        dots = "".join(
            f"M{_pixel(float(score), top):g} {5 + 4 * (place % 4):g}h0"
            for place, score in enumerate(scores)
        )
        quartiles = (_pixel(low, top), _pixel(middle, top), _pixel(high, top))
        shown = f"{show(middle)} [{show(low)}, {show(high)}]"
        strip = Strip(result.group.arm, result.page, dots, quartiles, words, shown)
        made.append((-metric.sign * middle, strip))
    return [strip for _, strip in sorted(made, key=lambda pair: (pair[0], pair[1].arm))]


def _pixel(value: float, top: float) -> float:
    """Where a value lies, with room for half a dot at both ends."""
    return round(5 + (WIDTH - 10) * min(max(value / top, 0.0), 1.0), 1)


def _round_up(value: float) -> float:
    step = 10 ** np.floor(np.log10(value))
    return float(np.ceil(value / step) * step)
