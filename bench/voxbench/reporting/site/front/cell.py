"""A cell of the front page: what one arm gained on one task, and how sure that is."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from voxbench.analyses.effects import Effect
from voxbench.analyses.label_efficiency import times
from voxbench.analyses.table import interval, number
from voxbench.reporting.site.front.evidence import Evidence
from voxbench.reporting.site.material import ArmResult
from voxbench.stats.interval import Interval
from voxbench.stats.paired import FEWEST_PATIENTS

GLYPHS = {
    "better": "▲", "head start": "△", "equivalent": "≈", "undecided": "?", "behind": "▽",
    "worse": "▼", "": "–",
}  # fmt: skip
_REACH = 10  # margins from the middle of a line to its ends


class Line(NamedTuple):
    """An interval as SVG on a line of 100 × 12, whose middle is 0: paths of it and of its mean."""

    reach: str
    mean: str


class Cell(NamedTuple):
    """What a cell shows; all of it text but `line`.

    Attributes:
        effect: arm − twin, or the score of an arm that has no twin.
        interval: of it.
        href: of the result, from the root of the site.
        reason: why there is no verdict, or no more of one.
        seen: whether the weights know the test cases, "" where they don't.
        recipe: what tells it from the task's other recipes.
        verdict: a word of `GLYPHS`.
        word: the same, as it is read; "" of a score.
        worth: in labels, where that has an interval.
    """

    effect: str
    interval: str
    href: str
    reason: str
    seen: str
    recipe: str
    verdict: str = ""
    word: str = ""
    line: Line | None = None
    worth: str = ""

    @property
    def glyph(self) -> str:
        """Of its verdict."""
        return GLYPHS[self.verdict]


def effect_cell(evidence: Evidence, result: ArmResult, effect: Effect) -> Cell:
    """What an arm gained on its twin."""
    show = number(evidence.metric.digits, signed=True)
    mean, low, high = effect.effect
    known = bool(effect.verdict)
    return Cell(
        effect=show(mean),
        interval=f"[{show(low)}, {show(high)}]" if known else "",
        href=result.page,
        reason="; ".join(_reasons(effect, evidence)),
        seen=_seen(result),
        recipe=result.recipe,
        verdict=effect.verdict,
        word=effect.verdict or "not compared",
        line=line_of(effect.effect, evidence.margin) if known else None,
        worth=_worth(evidence, result),
    )


def score_cell(evidence: Evidence, result: ArmResult) -> Cell:
    """The score of an arm itself: of a twin, and of whoever has none."""
    mean, low, high = result.mean.scores[evidence.metric.key]
    show = number(evidence.metric.digits)
    return Cell(
        effect=show(mean),
        interval="" if math.isnan(mean) else f"[{show(low)}, {show(high)}]",
        href=result.page,
        reason="not converged" if result.group.unconverged else "",
        seen=_seen(result),
        recipe=evidence.recipe(result.group.where),
    )


def line_of(effect: Interval, margin: float) -> Line | None:
    """The interval drawn; an end beyond ten margins is an arrow."""
    if any(map(math.isnan, effect)):
        return None
    mean, low, high = (50 + 50 * value / (_REACH * margin) for value in effect)
    inside = [min(max(at, 4.0), 96.0) for at in (low, high, mean)]
    path = f"M{inside[0]:.4g} 6H{inside[1]:.4g}"
    if low < 4:
        path += "M7 2L3 6L7 10"
    if high > 96:
        path += "M93 2L97 6L93 10"
    return Line(path, f"M{inside[2]:.4g} 6h.02")


def _reasons(effect: Effect, evidence: Evidence) -> Iterator[str]:
    """Why a comparison is undecided, or what its verdict rests on."""
    if not effect.verdict:
        yield effect.note
    elif effect.verdict == "head start":
        yield "its twin has not converged"
    elif effect.verdict == "behind":
        yield "has not converged"
    elif effect.verdict == "undecided":
        yield from _doubts(effect, evidence)


def _doubts(effect: Effect, evidence: Evidence) -> Iterator[str]:
    low, high = effect.effect[1:]
    show = interval(evidence.metric.digits, signed=True)
    if effect.patients < FEWEST_PATIENTS:
        yield f"{effect.patients} patients: too few"
    elif math.isnan(low):
        yield "1 run: nothing known of its luck"
    elif effect.alone.low > 0 or effect.alone.high < 0:
        own = show(*effect.alone).partition(" ")[2]
        yield f"alone {own}, but one of {len(evidence.effects)} comparisons"
    elif max(-low, high) > evidence.margin and low <= 0 <= high:
        few = f", {effect.runs} run{'s' if effect.runs > 1 else ''}" if effect.runs < 5 else ""
        yield f"could be either way{few}"


def _worth(evidence: Evidence, result: ArmResult) -> str:
    """`worth 1.2× labels [0.8, 2.1]`; nothing without an interval of two ends."""
    found = evidence.worth.get((result.group.where, result.group.arm))
    if not found or not found.bounded:
        return ""
    return f"worth {times(*found.bounded).replace('× ', '× labels ')}"


def _seen(result: ArmResult) -> str:
    status = result.group.contamination
    if status.startswith("overlaps"):
        return "seen"
    return "seen?" if status == "unknown" else ""
