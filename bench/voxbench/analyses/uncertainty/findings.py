"""All that is found of uncertainty in an output folder, and one sentence of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxbench.analyses.uncertainty.cost import DoubtCost, doubt_costs
from voxbench.analyses.uncertainty.doubts import Doubt, doubts_in
from voxbench.analyses.uncertainty.methods import (
    MethodRow,
    MethodShares,
    component_rows,
    contests,
    method_rows,
)
from voxbench.analyses.uncertainty.rows import DoubtRow, doubt_rows
from voxbench.analyses.uncertainty.separation import Separation, separations
from voxbench.records import ScoredRecord

HEADLINES = {
    "AURC of 1 − Dice": "the detection of failures",
    "AUROC": "the detection of other distributions",
    "ACE": "calibration",
}
"""The figures that the sentence speaks of, and what they are of."""


@dataclass(frozen=True)
class Findings:
    """What doubt is worth.

    Attributes:
        doubts: arms by prediction model.
        rows: their figures, with effects of pre-training.
        methods: prediction model × measure × aggregation, ranked on every task.
        components: how much each of the three matters.
        separations: whether measures tell the two kinds of uncertainty apart.
        costs: what each prediction model takes.
    """

    doubts: list[Doubt]
    rows: list[DoubtRow]
    methods: list[MethodRow]
    components: list[MethodShares]
    separations: list[Separation]
    costs: list[DoubtCost]

    @property
    def tasks(self) -> list[str]:
        """Those that something was asked of."""
        return list(dict.fromkeys(doubt.where.task for doubt in self.doubts))

    @property
    def sentences(self) -> list[str]:
        """What pre-training changes of doubt, and whether its kinds separate."""
        told = [front_sentence(self.rows), *(row.sentence for row in self.separations)]
        return [sentence for sentence in told if sentence]

    def of_task(self, task: str) -> "Findings":
        """What was found on one."""
        return Findings(
            [doubt for doubt in self.doubts if doubt.where.task == task],
            [row for row in self.rows if row.where.task == task],
            [row for row in self.methods if row.contest.where.task == task],
            [row for row in self.components if row.contest.where.task == task],
            [row for row in self.separations if row.where.task == task],
            [row for row in self.costs if row.where.task == task],
        )


def find_doubt(folder: Path, records: Sequence[ScoredRecord]) -> Findings:
    """Everything that the records of uncertainty of an output folder show.

    Raises:
        RecordError: a file can't be read.
    """
    doubts = doubts_in(folder, records)
    found = contests(doubts)
    return Findings(
        doubts,
        doubt_rows(doubts),
        method_rows(found),
        component_rows(found),
        separations(doubts),
        doubt_costs(doubts, records),
    )


def front_sentence(rows: Sequence[DoubtRow]) -> str:
    """Whether pre-training changes doubt, counted from verdicts; "" where nothing was compared."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.verdict and row.what.figure in HEADLINES:
            counts[row.what.figure][row.verdict] += 1
    told = [
        f"{HEADLINES[figure]} ({_told(counts[figure])})" for figure in HEADLINES if counts[figure]
    ]
    if not told:
        return ""
    changed = any(own["better"] or own["worse"] for own in counts.values())
    opening = "changes" if changed else "has not been shown to change"
    return f"Pre-training {opening} how far a model's doubt can be trusted: {'; '.join(told)}."


def _told(counts: Counter[str]) -> str:
    words = [
        f"{word} in {counts[word]}"
        for word in ("better", "worse", "equivalent", "undecided")
        if counts[word]
    ]
    return f"{', '.join(words)} of {counts.total()} comparisons with scratch"
