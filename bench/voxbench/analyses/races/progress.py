"""Where a race stands, from its declaration and the records that are there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.pairing import Pair
from voxbench.analyses.races.declaration import Comparison, Pairing, Race
from voxbench.analyses.read import read_groups
from voxbench.records import Scored
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.sequential import Decision, decide, interims


@dataclass(frozen=True)
class RacedComparison:
    """A comparison of a race as it is now.

    Attributes:
        decision: its verdict, and the interim analysis that gave it.
        sample: the differences, (patient, run), of the trainings that were analysed.
        tried: trainings that are over, finished or failed, up to the first that is not.
        failed: of these, the trainings that the arm or the twin failed.
    """

    comparison: Comparison
    decision: Decision
    sample: Sample
    tried: int
    failed: int

    @property
    def settled(self) -> bool:
        """It has a verdict."""
        return self.decision.verdict != "undecided"

    @property
    def next(self) -> Pairing | None:
        """The training that comes next, if it still needs one and has one."""
        runs = self.comparison.runs
        return None if self.settled or self.tried == len(runs) else runs[self.tried]


def raced_comparisons(race: Race, records: Mapping[str, Scored]) -> list[RacedComparison]:
    """Each comparison of a race as it is now, by the records of its trainings.

    Trainings count in their declared order, up to the first that is still missing; failed ones are
    left out. So the analyses depend on the records alone, not on when or in which order they came.

    Args:
        race: its declaration.
        records: key → record.
    """
    metric = find_metric(race.metric)
    tried = [_tried(comparison, records) for comparison in race.comparisons]
    finished = [[run for run in runs if _finished(run, records)] for runs in tried]
    samples = [_sample(runs, records, metric) for runs in finished]
    family = len(race.comparisons)
    seen = [interims(sample, race.shares, family) for sample in samples]
    return [
        RacedComparison(comparison, decision, sample, len(runs), len(runs) - len(done))
        for comparison, decision, sample, runs, done in zip(
            race.comparisons,
            decide(seen, race.margin, metric.sign),
            samples,
            tried,
            finished,
            strict=True,
        )
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


def _sample(runs: list[Pairing], records: Mapping[str, Scored], metric: Metric) -> Sample:
    """The differences with the trainings in their order."""
    if not runs:
        return Sample(np.empty((0, 0)), ())
    [arm] = read_groups(records[run.arm] for run in runs)
    [twin] = read_groups(records[run.twin] for run in runs)
    difference = Pair(arm, twin, twin.arm, metric).difference()
    order = [arm.runs.index((run.draw, run.seed)) for run in runs]
    return Sample(difference.values[:, order], tuple(run.draw for run in runs))
