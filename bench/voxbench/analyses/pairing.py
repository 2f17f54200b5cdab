"""Which arms are compared with which: each with its scratch twin, or any two."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from voxbench.analyses.groups import Group, Run, find_arm
from voxbench.analyses.shared import SharedScores, sample_of, shared_scores
from voxbench.errors import SpecError
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import Metric
from voxbench.stats.paired import worded


@dataclass(frozen=True)
class Pair:
    """An arm and the arm it is compared with; `name` is the other's, also if it has no record."""

    arm: Group
    other: Group | None
    name: str
    metric: Metric

    @cached_property
    def cases(self) -> tuple[tuple[str, str], ...]:
        """Patient and case of those that both have."""
        there = set(self.other.cases) if self.other else set()
        return tuple(case for case in self.arm.cases if case in there)

    @property
    def patients(self) -> list[str]:
        """Of these cases."""
        return list(dict.fromkeys(patient for patient, _ in self.cases))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """That both have."""
        return tuple(run for run in self.arm.runs if self.other and run in self.other.runs)

    def shared(self, key: str) -> SharedScores:
        """A metric of both, (2, patient, run), on the cases, classes and runs that both have."""
        groups = [self.arm, self.other] if self.other else [self.arm, self.arm]
        return shared_scores(groups, key, self.cases, self.runs)

    def samples(self) -> tuple[Sample, Sample]:
        """The scores of both, (patient, run)."""
        ours, theirs = self.shared(self.metric.key).values
        return self.sample(ours), self.sample(theirs)

    def sample(self, values: Array) -> Sample:
        """Values of its patients and runs, (…, patient, run)."""
        groups = [group for group in (self.arm, self.other) if group]
        return sample_of(values, self.cases, self.runs, groups)

    def worded(self, verdict: str) -> str:
        """A verdict on the arm, as far as both have converged; see `stats.paired.worded`."""
        return worded(
            verdict, self.arm.unconverged, self.other is not None and self.other.unconverged
        )

    def difference(self) -> Sample:
        """Arm − other, (patient, run)."""
        ours, theirs = self.samples()
        return ours.with_values(ours.values - theirs.values)


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
    return pair_each(groups, [name], [find_arm(arms, other)], metric)


def pair_each(
    groups: Sequence[Group], arms: Sequence[str], others: Sequence[str], metric: Metric
) -> list[Pair]:
    """Each of some arms with each of others, by their labels, wherever both have a record."""
    against = [group for group in groups if group.arm in others]
    return [
        Pair(group, other, other.arm, metric)
        for group in groups
        if group.arm in arms
        for other in against
        if group.where == other.where and group.arm != other.arm
    ]
