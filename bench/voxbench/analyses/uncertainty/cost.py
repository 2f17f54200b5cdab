"""What a prediction model costs a case, beside the plain prediction of the same cells."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.records import ScoredRecord
from voxbench.records.uncertainty import UncertaintyRecord


@dataclass(frozen=True)
class DoubtCost:
    """A prediction model of an arm.

    Attributes:
        model: as tables call it.
        passes: forward passes over a case; NaN where an older record does not tell.
        seconds: wall clock a case: its passes, measures, aggregations and scores.
        plain: wall clock a case of a cell's prediction and scores; NaN where nobody has told.
        cases: that were predicted, over all runs.
        runs: of them.
    """

    where: Where
    arm: str
    model: str
    passes: float
    seconds: float
    plain: float
    cases: int
    runs: int

    @property
    def times(self) -> float:
        """Of the plain prediction."""
        return self.seconds / self.plain if self.plain else math.nan


def doubt_costs(doubts: Sequence[Doubt], records: Sequence[ScoredRecord]) -> list[DoubtCost]:
    """That of every arm and model.

    Args:
        doubts: of an output folder.
        records: of its cells.
    """
    cells = {record.key: record for record in records}
    return [_cost(doubt, cells) for doubt in doubts]


def _cost(doubt: Doubt, cells: Mapping[str, ScoredRecord]) -> DoubtCost:
    runs = [*doubt.runs.values()]
    counts = [_cases(run) for run in runs]
    plain = [own for run in runs for own in _plain(run, cells)]
    return DoubtCost(
        where=doubt.where,
        arm=doubt.arm,
        model=doubt.label,
        passes=math.nan if runs[0].passes is None else runs[0].passes,
        seconds=_ratio(sum(run.seconds for run in runs), sum(counts)),
        plain=_ratio(sum(seconds for seconds, _ in plain), sum(count for _, count in plain)),
        cases=sum(counts),
        runs=len(runs),
    )


def _cases(run: UncertaintyRecord) -> int:
    return len(run.validation) + len(run.test) + sum(map(len, run.external.values()))


def _plain(
    run: UncertaintyRecord, cells: Mapping[str, ScoredRecord]
) -> Iterator[tuple[float, int]]:
    """Seconds and cases of the prediction of each cell that is known."""
    for key in run.cells:
        if (cell := cells.get(key)) and cell.cost and cell.data:
            yield cell.cost.predict_seconds, len(cell.data.test)


def _ratio(total: float, count: int) -> float:
    return total / count if count else math.nan
