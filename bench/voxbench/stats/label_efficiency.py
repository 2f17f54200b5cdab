"""What a pre-training is worth in labels, and where its benefit vanishes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.stats.arrays import Array
from voxbench.stats.interval import LEVEL
from voxbench.stats.ladder import Ladder
from voxbench.stats.paired import FEWEST as FEWEST_PATIENTS
from voxbench.stats.power_law import EXPONENTS, FEWEST, PowerLaw, fit

_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Worth:
    """«At this fraction the pre-training is worth k× the labels»: the twin needs k times as many.

    Attributes:
        labels: patients that the arm was trained on.
        fitted, fitted_low, fitted_high: k by the twin's power law; NaN where refused.
        direct, direct_low, direct_high: k between the twin's own points.
        refused: why there is no fitted k; "" where there is one.
        refused_direct: why there is no direct one.

    An infinite upper bound means that the data set no limit: too many resamples reach beyond the
    twin's largest fraction. A lower bound of 0 is the same below its smallest.
    """

    task: str
    adaptation: str
    fraction: str
    labels: float
    arm: str
    other: str
    fitted: float
    fitted_low: float
    fitted_high: float
    direct: float
    direct_low: float
    direct_high: float
    refused: str
    refused_direct: str


@dataclass(frozen=True)
class Curve:
    """The power law of one arm or twin: score = ceiling − gap · n^−exponent, with 95% bounds.

    For a distance the score is its negative. `refused` says why there is none or what
    it does not tell.
    """

    task: str
    adaptation: str
    arm: str
    points: int
    ceiling: float
    ceiling_low: float
    ceiling_high: float
    exponent: float
    exponent_low: float
    exponent_high: float
    gap: float
    error: float
    refused: str


@dataclass(frozen=True)
class Vanishing:
    """The labelled patients from which on arm − twin stays within the margin.

    Attributes:
        labels, low, high: NaN where `refused`; infinite high: beyond the largest fraction.
        refused: why there is no such point.
    """

    task: str
    adaptation: str
    arm: str
    other: str
    labels: float
    low: float
    high: float
    refused: str


def worth(ladder: Ladder) -> list[Worth]:
    """The label-efficiency multiplier at every fraction, or the reason why there is none."""
    refused, refused_direct = _unfit(ladder, fewest=FEWEST), _unfit(ladder, fewest=2)
    once = None if refused else fit(ladder.labels, ladder.twin_scores[None], _best(ladder))
    drawn = None if refused else fit(ladder.labels, ladder.twin_drawn, _best(ladder))
    rows = []
    for step, labels in enumerate(ladder.labels):
        fitted = _multiplier(ladder, step, once, drawn, refused)
        direct = _multiplier(ladder, step, None, None, refused_direct)
        rows.append(
            Worth(
                ladder.task, ladder.adaptation, ladder.fractions[step], float(labels), ladder.arm,
                ladder.twin, *fitted[:3], *direct[:3], fitted[3], direct[3],
            )
        )  # fmt: skip
    return rows


def _best(ladder: Ladder) -> float:
    return 1.0 if ladder.metric.sign > 0 else 0.0


def _unfit(ladder: Ladder, fewest: int) -> str:
    """Why the twin's curve can't be read backwards, from score to labels."""
    if len(set(ladder.labels)) < len(ladder.labels):
        return "two fractions have as many labelled patients"
    if len(ladder.labels) < fewest:
        return f"{len(ladder.labels)} fractions, {fewest} are needed"
    if min(ladder.patients) < FEWEST_PATIENTS:
        return f"{min(ladder.patients)} test patients, {FEWEST_PATIENTS} are needed"
    gains = np.diff(ladder.twin_drawn, axis=1)
    falls = np.nanquantile(gains, _TAILS[1], axis=0) < 0
    if falls.any():
        place = int(np.argmax(falls))
        return (
            "the twin's curve is not monotone: it falls between "
            f"{ladder.fractions[place]} and {ladder.fractions[place + 1]}"
        )
    if np.nanquantile(ladder.twin_drawn[:, -1] - ladder.twin_drawn[:, 0], _TAILS[0]) <= 0:
        return "the twin's curve is flat: more labels do not demonstrably help it"
    return ""


def _multiplier(
    ladder: Ladder, step: int, once: PowerLaw | None, drawn: PowerLaw | None, refused: str
) -> tuple[float, float, float, str]:
    if refused:
        return math.nan, math.nan, math.nan, refused
    twin, arm = ladder.twin_scores[None], ladder.arm_scores[None, step]
    smallest, largest = ladder.labels[0], ladder.labels[-1]
    point = once.labels(arm) if once else interpolate(ladder.labels, twin, arm)
    if not smallest <= point[0] <= largest:
        end = "highest" if point[0] > largest else "lowest"
        side = "above" if point[0] > largest else "below"
        return math.nan, math.nan, math.nan, f"the arm is {side} the twin's {end} score"
    each = (
        drawn.labels(ladder.arm_drawn[:, step])
        if drawn
        else interpolate(ladder.labels, ladder.twin_drawn, ladder.arm_drawn[:, step])
    )
    each = np.where(each > largest, np.inf, np.where(each < smallest, 0.0, each))
    low, high = np.quantile(each[~np.isnan(each)], _TAILS, method="inverted_cdf")
    labels = ladder.labels[step]
    return float(point[0] / labels), float(low / labels), float(high / labels), ""


def interpolate(labels: Array, twin: Array, scores: Array) -> Array:
    """Labels at which the twin reaches a score, linear in log labels, (curve,).

    The twin's points, (curve, step), are made monotone by a running maximum; 0 below the first
    point, infinite above the last.
    """
    rising = np.maximum.accumulate(twin, axis=1)
    above = (rising >= scores[:, None]).argmax(axis=1)
    reached = (rising >= scores[:, None]).any(axis=1)
    each = np.arange(len(rising))
    before = np.maximum(above - 1, 0)
    low, high = rising[each, before], rising[each, above]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (scores - low) / (high - low), 0.0)
    logs = np.log(labels)
    found = np.exp(logs[before] + share * (logs[above] - logs[before]))
    found = np.where(scores < rising[:, 0], 0.0, found)
    return np.where(reached, found, np.inf)


def curves(ladders: Sequence[Ladder]) -> list[Curve]:
    """The power law of every arm and twin, each once."""
    found: dict[tuple[str, ...], Curve] = {}
    for ladder in ladders:
        sides = (
            (ladder.arm, ladder.arm_scores, ladder.arm_drawn),
            (ladder.twin, ladder.twin_scores, ladder.twin_drawn),
        )
        for name, scores, drawn in sides:
            key = (ladder.task, ladder.adaptation, ladder.setting, name)
            found.setdefault(key, _curve(ladder, name, scores, drawn))
    return list(found.values())


def _curve(ladder: Ladder, name: str, scores: Array, drawn: Array) -> Curve:
    points = len(ladder.labels)
    if len(set(ladder.labels)) < FEWEST:
        why = f"{points} fractions, {FEWEST} are needed"
        nothing = (math.nan,) * 8
        return Curve(ladder.task, ladder.adaptation, name, points, *nothing, refused=why)
    once, each = (fit(ladder.labels, values, _best(ladder)) for values in (scores[None], drawn))
    ceiling, exponent = (np.quantile(v, _TAILS) for v in (each.ceiling, each.exponent))
    return Curve(
        ladder.task, ladder.adaptation, name, points,
        float(once.ceiling[0]), float(ceiling[0]), float(ceiling[1]),
        float(once.exponent[0]), float(exponent[0]), float(exponent[1]),
        float(once.gap[0]), float(once.error[0]),
        _doubt(once, exponent),
    )  # fmt: skip


def _doubt(once: PowerLaw, exponent: Array) -> str:
    if once.gap[0] <= 0:
        return "flat: the best fit does not rise"
    if exponent[0] <= EXPONENTS[0] and exponent[1] >= EXPONENTS[-1]:
        return "the exponent is not identified"
    return ""


def vanishing(ladder: Ladder, margin: float) -> Vanishing:
    """Where the effect falls to the margin for good, between points linear in log labels."""
    place = (ladder.task, ladder.adaptation, ladder.arm, ladder.twin)
    effects = ladder.arm_scores - ladder.twin_scores
    drawn = ladder.arm_drawn - ladder.twin_drawn
    refused = ""
    if len(set(ladder.labels)) < 2:
        refused = f"{len(ladder.labels)} fractions, 2 are needed"
    elif not (np.nanquantile(drawn, _TAILS[0], axis=0) > 0).any():
        refused = "no fraction with a demonstrable benefit"
    elif not (effects > margin).any():
        refused = "the benefit is within the margin at every fraction"
    elif effects[-1] > margin:
        refused = f"still above the margin at {ladder.fractions[-1]}, the largest fraction"
    if refused:
        return Vanishing(*place, math.nan, math.nan, math.nan, refused)
    point = _crossing(ladder.labels, effects[None] - margin)[0]
    each = _crossing(ladder.labels, drawn - margin)
    low, high = np.quantile(each, _TAILS, method="inverted_cdf")
    return Vanishing(*place, float(point), float(low), float(high), "")


def _crossing(labels: Array, excess: Array) -> Array:
    """Labels at the last crossing from above 0, (curve,): 0 if never above, inf if still so."""
    above = excess > 0
    last = above.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    after = np.minimum(last + 1, above.shape[1] - 1)
    each = np.arange(len(excess))
    high, low = excess[each, last], excess[each, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, high / (high - low), 0.0)
    logs = np.log(labels)
    found = np.exp(logs[last] + share * (logs[after] - logs[last]))
    found = np.where(above.any(axis=1), found, 0.0)
    return np.where(above[:, -1], np.inf, found)
