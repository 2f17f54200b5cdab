"""Effects within groups of patients, as by scanner, site, sex or age, and between the groups."""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from voxbench.analyses.effects import Pair
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.case_table import labels
from voxbench.stats.few import Spread, spread
from voxbench.stats.interval import LEVEL, Interval
from voxbench.stats.paired import holm, verdict, wilcoxon

SMALLEST = 5  # patients of a group that is tested
Values = Mapping[str, str]  # patient → what it is grouped by


@dataclass(frozen=True)
class SubgroupRow:
    """The effect within one group of patients.

    Attributes:
        group: the value that its patients share; "" is a patient without one.
        p_holm: over all groups of all pairs that are tested.
        verdict, note: "" and the reason where the group is not tested.
    """

    task: str
    fraction: str
    setting: str
    adaptation: str
    arm: str
    other: str
    group: str
    patients: int
    effect: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str
    note: str


@dataclass(frozen=True)
class Contrast:
    """The effect in one group minus that in another of the same pair.

    Attributes:
        p: the larger of Mann and Whitney's on the patients' effects and of Student's on patients
            and runs; p_holm over all contrasts of all pairs.
    """

    task: str
    fraction: str
    setting: str
    adaptation: str
    arm: str
    other: str
    group: str
    against: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


class _Group(NamedTuple):
    pair: Pair
    name: str
    sample: Sample

    @property
    def place(self) -> tuple[str, str, str, str, str, str]:
        task, adaptation, fraction, setting = self.pair.arm.where
        return task, fraction, setting, adaptation, self.pair.arm.arm, self.pair.name

    @property
    def left_out(self) -> str:
        """Why it is not tested; "" if it is."""
        if not self.name:
            return "no entry in the table: not tested"
        few = len(self.sample.values) < SMALLEST
        return f"fewer than {SMALLEST} patients: not tested" if few else ""


def subgroups(
    pairs: Sequence[Pair], values: Mapping[str, Values], margin: float
) -> tuple[list[SubgroupRow], list[Contrast]]:
    """The effect of each pair in each group of patients, and the differences between groups.

    A group with fewer than 5 patients, and patients without an entry, are rows without a test.

    Args:
        pairs: arms with what they are compared with.
        values: task → patient → what it is grouped by; numbers are cut into thirds.
        margin: of practical equivalence.
    """
    found = [group for pair in pairs for group in _split(pair, values[pair.arm.where.task])]
    tested = [_test(group) for group in found]
    rows = [
        _row(group, p, p_holm, margin)
        for group, p, p_holm in zip(found, tested, holm(tested), strict=True)
    ]
    couples = [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if one.place == other.place and not one.left_out and not other.left_out
    ]
    return rows, _contrasts(couples)


def _split(pair: Pair, values: Values) -> list[_Group]:
    """The pair's patients with a score in both, by what they are grouped by."""
    ours, theirs = pair.samples()
    there = set(pair.other.patients) if pair.other else set()
    patients = [patient for patient in pair.arm.patients if patient in there]
    difference = ours.values - theirs.values
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels([values.get(patient, "") for patient in patients])):
        if not np.isnan(difference[row]).all():
            members[label].append(row)
    return [
        _Group(pair, name, Sample(difference[members[name]], ours.draws))
        for name in sorted(members, key=_natural)
    ]


def _natural(name: str) -> tuple[bool, float, str]:
    """Numbers, and ranges by where they begin, before words, and what has no entry last."""
    try:
        return False, float(name.partition(" to ")[0]), name
    except ValueError:
        return not name, math.inf, name


def _test(group: _Group) -> float:
    return math.nan if group.left_out else wilcoxon(nanmean(group.sample.values, axis=1))


def _row(group: _Group, p: float, p_holm: float, margin: float) -> SubgroupRow:
    metric, patients = group.pair.metric, len(group.sample.values)
    interval = bootstrap(group.sample).within(-metric.most, metric.most)
    note = group.left_out
    word = "" if note else verdict(interval, p_holm, patients, margin, metric.sign)
    return SubgroupRow(*group.place, group.name, patients, *interval, p, p_holm, word, note)


def _contrasts(couples: Sequence[tuple[_Group, _Group]]) -> list[Contrast]:
    found = [_between(one.sample, other.sample) for one, other in couples]
    corrected = holm([p for _, p in found])
    return [
        Contrast(*one.place, one.name, other.name, *interval, p, p_holm)
        for (one, other), (interval, p), p_holm in zip(couples, found, corrected, strict=True)
    ]


def _between(one: Sample, other: Sample) -> tuple[Interval, float]:
    """The difference of two groups of patients that share their runs, and its p.

    Luck that a run gives to both cancels. The degrees of freedom of the patients are Welch's.
    """
    means = [nanmean(sample.values, axis=1) for sample in (one, other)]
    middle = float(means[0].mean() - means[1].mean())
    sides = [spread(sample.values[None], sample.draws) for sample in (one, other)]
    runs = nanmean(one.values, axis=0) - nanmean(other.values, axis=0)
    shared = spread(runs[None, None], one.draws)
    patients = sides[0].patients + sides[1].patients
    parts = [side.patients**2 / side.patients_freedom for side in sides]
    freedom = np.divide(
        patients**2, sum(parts), out=sides[0].patients_freedom.copy(), where=patients > 0
    )
    sure = Spread(
        patients, freedom, shared.runs, shared.runs_freedom, sides[0].noise + sides[1].noise
    )
    reach = sure.reach(0, (1 - LEVEL) / 2)
    if not middle:
        return Interval(middle, -reach, reach), 1.0
    p = float(stats.mannwhitneyu(*means).pvalue)
    return Interval(middle, middle - reach, middle + reach), max(p, sure.p(0, abs(middle)))
