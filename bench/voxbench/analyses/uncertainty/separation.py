"""Do measures separate the two kinds of uncertainty? The experiment of ValUES, with a verdict.

Aleatoric uncertainty is to lie where raters differ (NCC with their variance), epistemic uncertainty
to be high for cases of another distribution (AUROC): each more than the other does. Kahl et al.,
ICLR 2024, section 4.1. What a task has none of, raters or shifts, is not asked of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.figures import ANY, What
from voxbench.analyses.uncertainty.rows import ByRun, patients_of, sample_of
from voxbench.stats.bootstrap import Sample, infer_each
from voxbench.stats.inference import judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.uncertainty.measures import Kind, measure_of

AGGREGATION = "image mean"  # whose score finds shifts
Answer = Literal["yes", "no", "undecided", ""]


@dataclass(frozen=True)
class Separation:
    """An arm by a prediction model, on a task with raters or shifts.

    Attributes:
        model: as tables call it.
        raters: NCC with the variance over raters, aleatoric − epistemic; undefined without raters.
        shifts: AUROC of shifts, epistemic − aleatoric; undefined without shifts. Both have
            intervals that hold at once with those of all rows.
        aleatoric, epistemic: whether the kind rises with what it should more than the other does;
            "" is not asked.
        patients: behind either, the more of both.
    """

    where: Where
    arm: str
    model: str
    raters: Interval
    shifts: Interval
    aleatoric: Answer
    epistemic: Answer
    patients: int

    @property
    def verdict(self) -> str:
        """separates, does not separate, or undecided; partly where one kind alone does."""
        asked = [answer for answer in (self.aleatoric, self.epistemic) if answer]
        if all(answer == "yes" for answer in asked):
            return "separates"
        if "no" not in asked:
            return "undecided"
        return "separates in part" if "yes" in asked else "does not separate"

    @property
    def sentence(self) -> str:
        """The verdict in words, with its figures."""
        told = []
        if self.aleatoric:
            told.append(
                f"{_words(self.aleatoric)} aleatoric uncertainty follows the raters more than "
                f"epistemic uncertainty does (NCC {_told(self.raters)})"
            )
        if self.epistemic:
            told.append(
                f"{_words(self.epistemic)} epistemic uncertainty finds shifted cases better than "
                f"aleatoric uncertainty does (AUROC {_told(self.shifts)})"
            )
        where = f"{self.where.task}, {self.arm}, {self.model}"
        return f"{where}: {self.verdict}. " + "; ".join(told) + "."


def _words(answer: Answer) -> str:
    return {"yes": "shown that", "no": "not so that", "undecided": "undecided whether"}[answer]


def _told(interval: Interval) -> str:
    return f"{interval.mean:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def separations(doubts: Sequence[Doubt]) -> list[Separation]:
    """Every arm and model that can be asked; models of one member have no epistemic measure."""
    asked = [
        (doubt, _halves(doubt)) for doubt in doubts if "mutual_information" not in doubt.silent
    ]
    asked = [(doubt, halves) for doubt, halves in asked if any(len(own.values) for own in halves)]
    found = judge(infer_each([half for _, halves in asked for half in halves]))
    intervals = [own.together for own in found]
    return [
        _separation(doubt, halves, (intervals[2 * at], intervals[2 * at + 1]))
        for at, (doubt, halves) in enumerate(asked)
    ]


def _separation(
    doubt: Doubt, halves: tuple[Sample, Sample], found: tuple[Interval, Interval]
) -> Separation:
    there = [bool(len(half.values)) for half in halves]
    return Separation(
        where=doubt.where,
        arm=doubt.arm,
        model=doubt.label,
        raters=found[0] if there[0] else UNDEFINED,
        shifts=found[1] if there[1] else UNDEFINED,
        aleatoric=_answer(found[0]) if there[0] else "",
        epistemic=_answer(found[1]) if there[1] else "",
        patients=max(len(half.values) for half in halves),
    )


def _answer(difference: Interval) -> Answer:
    if difference.low > 0:
        return "yes"
    return "no" if difference.high < 0 else "undecided"


def _halves(doubt: Doubt) -> tuple[Sample, Sample]:
    """NCC, aleatoric − epistemic, and AUROC, epistemic − aleatoric, (patient, run) each."""
    return (
        _half(doubt.values, doubt, ("aleatoric", "epistemic"), "NCC"),
        _half(doubt.values, doubt, ("epistemic", "aleatoric"), "AUROC"),
    )


def _half(
    values: Mapping[What, ByRun], doubt: Doubt, kinds: tuple[Kind, Kind], figure: str
) -> Sample:
    ours, theirs = (_values(values, measure_of(kind, doubt.name), figure) for kind in kinds)
    runs = sorted(run for run in ours if run in theirs)
    patients = [
        patient
        for patient in sorted({*patients_of(ours)} & {*patients_of(theirs)})
        if not all(math.isnan(ours[run].get(patient, math.nan)) for run in runs)
    ]
    one, other = (sample_of(side, runs, patients) for side in (ours, theirs))
    return Sample(one.values - other.values, one.draws)


def _values(values: Mapping[What, ByRun], measure: str, figure: str) -> ByRun:
    """Of all shifts together where there are several, else of the first."""
    own = [
        what
        for what in values
        if (what.figure, what.measure) == (figure, measure)
        and what.aggregation in ("", AGGREGATION)
    ]
    return values[min(own, key=lambda what: (what.cases != ANY, what.cases))] if own else {}
