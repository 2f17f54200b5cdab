"""Do measures separate the two kinds of uncertainty? The experiment of ValUES, with a verdict.

Aleatoric uncertainty is to lie where raters differ (NCC with their variance), epistemic uncertainty
to be high for cases of another distribution (AUROC): each more than the other does. Kahl et al.,
ICLR 2024, section 4.1. What a task has none of, raters or shifts, is not asked of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from voxbench.analyses.by_run import ByRun, paired
from voxbench.analyses.groups import Where
from voxbench.analyses.table import interval
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.figures import ANY, What
from voxbench.stats.bootstrap import Sample, infer_each
from voxbench.stats.inference import judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.uncertainty.measures import Kind, measure_of
from voxbench.uncertainty.names import difference_bounds

FIGURES = "NCC", "AUROC"
"""By which the aleatoric and the epistemic kind are to rise."""
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
        words = "; ".join(told)
        return f"{where}: {self.verdict}. {words[:1].upper()}{words[1:]}."


def _words(answer: Answer) -> str:
    return {"yes": "shown that", "no": "not so that", "undecided": "undecided whether"}[answer]


def _told(difference: Interval) -> str:
    return interval(2, signed=True)(*difference)


def separations(doubts: Sequence[Doubt]) -> list[Separation]:
    """Every arm and model that can be asked; models of one member have no epistemic measure."""
    every = ((doubt, _halves(doubt)) for doubt in doubts)
    asked = [(doubt, halves) for doubt, halves in every if any(len(own.values) for own in halves)]
    found = judge(infer_each([half for _, halves in asked for half in halves]))
    intervals = [own.together for own in found]
    return [
        _separation(doubt, halves, (intervals[2 * at], intervals[2 * at + 1]))
        for at, (doubt, halves) in enumerate(asked)
    ]


def _separation(
    doubt: Doubt, halves: tuple[Sample, Sample], found: tuple[Interval, Interval]
) -> Separation:
    raters, shifts = (
        own.within(*difference_bounds(figure)) if len(half.values) else UNDEFINED
        for half, own, figure in zip(halves, found, FIGURES, strict=True)
    )
    patients = [len(half.values) for half in halves]
    return Separation(
        where=doubt.where,
        arm=doubt.arm,
        model=doubt.label,
        raters=raters,
        shifts=shifts,
        aleatoric=_answer(raters) if patients[0] else "",
        epistemic=_answer(shifts) if patients[1] else "",
        patients=max(patients),
    )


def _answer(difference: Interval) -> Answer:
    if difference.low > 0:
        return "yes"
    return "no" if difference.high < 0 else "undecided"


def _halves(doubt: Doubt) -> tuple[Sample, Sample]:
    """NCC, aleatoric − epistemic, and AUROC, epistemic − aleatoric, (patient, run) each."""
    ncc, auroc = FIGURES
    return (
        _half(doubt, ("aleatoric", "epistemic"), ncc),
        _half(doubt, ("epistemic", "aleatoric"), auroc),
    )


def _half(doubt: Doubt, kinds: tuple[Kind, Kind], figure: str) -> Sample:
    """A kind − the other, (patient, run), of the patients with a value."""
    ours, theirs = (_values(doubt.values, measure_of(kind, doubt.name), figure) for kind in kinds)
    found = paired(ours, theirs).difference
    return found.of_patients(np.flatnonzero(~np.isnan(found.values).all(axis=1)).tolist())


def _values(values: Mapping[What, ByRun], measure: str, figure: str) -> ByRun:
    """Of all shifts together where there are several, else of the first."""
    own = [
        what
        for what in values
        if (what.figure, what.measure) == (figure, measure)
        and what.aggregation in ("", AGGREGATION)
    ]
    return values[min(own, key=lambda what: (what.cases != ANY, what.cases))] if own else {}
