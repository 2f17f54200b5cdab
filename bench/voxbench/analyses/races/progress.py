"""Where a race stands, from its declaration and the records that are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.pairing import Pair
from voxbench.analyses.races.declaration import Comparison, Pairing, Race
from voxbench.analyses.read import read_groups
from voxbench.records import Scored
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.sequential import Decision, Entry, decide


@dataclass(frozen=True)
class RacedComparison:
    """A comparison of a race as it is now.

    Attributes:
        decision: its verdict, and the interim analysis that gave it.
        tried: trainings that are over, finished or failed, up to the first that is not.
        failed: of these, the trainings that the arm or the twin failed.
    """

    comparison: Comparison
    decision: Decision
    tried: int
    failed: int

    @property
    def settled(self) -> bool:
        """It has a verdict."""
        return self.decision.verdict != "undecided"

    @property
    def pending(self) -> tuple[Pairing, ...]:
        """The trainings that it still needs for the next analysis."""
        return self.comparison.runs[self.tried : self.decision.due]


def raced_comparisons(race: Race, records: Mapping[str, Scored]) -> list[RacedComparison]:
    """Each comparison of a race as it is now, by the records of its trainings.

    Trainings count in their declared order, up to the first that is still missing; failed ones have
    no scores. So the analyses depend on the records alone, not on when or in which order they came.

    Args:
        race: its declaration.
        records: key → record.
    """
    metric = find_metric(race.metric)
    tried = [_tried(comparison, records) for comparison in race.comparisons]
    entries = [
        _entry(comparison, runs, records, metric)
        for comparison, runs in zip(race.comparisons, tried, strict=True)
    ]
    decisions = decide(entries, race.shares, race.margin, metric.sign)
    return [
        RacedComparison(
            comparison, decision, len(runs), sum(not _finished(run, records) for run in runs)
        )
        for comparison, decision, runs in zip(race.comparisons, decisions, tried, strict=True)
    ]


def _tried(comparison: Comparison, records: Mapping[str, Scored]) -> list[Pairing]:
    found = []
    for run in comparison.runs:
        both = [records[key].status for key in (run.arm, run.twin) if key in records]
        if "failed" not in both and len(both) < 2:
            break
        found.append(run)
    return found


def _finished(run: Pairing, records: Mapping[str, Scored]) -> bool:
    return all(key in records and records[key].status == "ok" for key in (run.arm, run.twin))


def _entry(
    comparison: Comparison,
    tried: Sequence[Pairing],
    records: Mapping[str, Scored],
    metric: Metric,
) -> Entry:
    """Its scores with the trainings in their order."""
    where = comparison.task, comparison.adaptation, comparison.fraction, comparison.twin
    runs = tuple((run.draw, run.seed) for run in tried)
    done = [run for run in tried if _finished(run, records)]
    scores = np.full((2, 0, len(runs)), np.nan)
    if done:
        [arm] = read_groups(records[run.arm] for run in done)
        [twin] = read_groups(records[run.twin] for run in done)
        pair = Pair(arm, twin, twin.arm, metric)
        shared = pair.shared(metric.key).values
        scores = np.full((*shared.shape[:2], len(runs)), np.nan)
        scores[:, :, [runs.index(run) for run in pair.runs]] = shared
    over = len(tried) == len(comparison.runs)
    return Entry(where, (comparison.arm, comparison.twin), runs, scores, over)
