"""Which arms are compared with which: each with its scratch twin, or any two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.groups import Group, Run, find_arm
from voxbench.errors import SpecError
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import Metric


@dataclass(frozen=True)
class Pair:
    """An arm and the arm it is compared with; `name` is the other's, also if it has no record."""

    arm: Group
    other: Group | None
    name: str
    metric: Metric

    def samples(self) -> tuple[Sample, Sample]:
        """The scores of both, (patient, run), on the patients and runs that both have."""
        if self.other is None:
            nothing = Sample(np.empty((0, 0)), ())
            return nothing, nothing
        there = set(self.other.patients)
        patients = [patient for patient in self.arm.patients if patient in there]
        runs = [run for run in self.arm.runs if run in self.other.runs]
        draws = tuple(run.draw for run in runs)
        ours, theirs = (
            Sample(_select(group, self.metric.key, patients, runs), draws)
            for group in (self.arm, self.other)
        )
        return ours, theirs

    def difference(self) -> Sample:
        """Arm − other, (patient, run), on the patients and runs that both have."""
        ours, theirs = self.samples()
        return Sample(ours.values - theirs.values, ours.draws)


def _select(group: Group, key: str, patients: Sequence[str], runs: Sequence[Run]) -> Array:
    rows = {patient: row for row, patient in enumerate(group.patients)}
    columns = {run: column for column, run in enumerate(group.runs)}
    chosen = np.ix_([rows[patient] for patient in patients], [columns[run] for run in runs])
    return group.scores[key][chosen]


def twins(groups: Sequence[Group], metric: Metric) -> list[Pair]:
    """Each pre-trained arm with its scratch twin: same task, fraction, recipe and data."""
    known = {(group.where, group.label): group for group in groups}
    pairs = []
    for arm in groups:
        if arm.twin is not None:
            twin = known.get((arm.where, arm.twin))
            pairs.append(Pair(arm, twin, twin.arm if twin else arm.twin, metric))
    return pairs


def pair_arms(groups: Sequence[Group], arm: str, other: str | None, metric: Metric) -> list[Pair]:
    """Two arms, by how their labels begin, wherever both have a record.

    Args:
        groups: all arms.
        arm: whose effect it is.
        other: what it is compared with; None is its scratch twin.
        metric: of the scores.

    Raises:
        SpecError: an arm is unknown or ambiguous, or has no twin.
    """
    arms = [group.arm for group in groups]
    name = find_arm(arms, arm)
    if other is None:
        found = [pair for pair in twins(groups, metric) if pair.arm.arm == name]
        if not found:
            raise SpecError(f"{name} has no scratch twin: name the arm to compare it with.")
        return found
    against = find_arm(arms, other)
    others = {group.where: group for group in groups if group.arm == against}
    return [
        Pair(group, others[group.where], against, metric)
        for group in groups
        if group.arm == name and group.where in others
    ]
