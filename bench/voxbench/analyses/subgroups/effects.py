"""The effect of an arm in each group of patients, and the differences between the groups."""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Where
from voxbench.analyses.pairing import Pair
from voxbench.analyses.subgroups.case_table import group_labels
from voxbench.stats.bootstrap import Sample, infer_mean
from voxbench.stats.contrast import contrast
from voxbench.stats.inference import Judged, joined, judge
from voxbench.stats.interval import Interval
from voxbench.stats.paired import effect_verdict

SMALLEST = 5  # patients of a group that is tested


@dataclass(frozen=True)
class SubgroupEffect:
    """The effect within one group of patients.

    Attributes:
        group: the value that its patients share; "" is a patient without one.
        effect: with an interval that holds at once with those of all groups that are tested.
        p: two-sided, of the mean over patients and runs; p_adjusted: by Bonferroni.
        verdict, note: "" and the reason where the group is not tested.
    """

    where: Where
    arm: str
    other: str
    group: str
    patients: int
    effect: Interval
    p: float
    p_adjusted: float
    verdict: str
    note: str


@dataclass(frozen=True)
class Contrast:
    """The effect in one group minus that in another of the same pair.

    Attributes:
        difference: with an interval that holds at once with those of all contrasts.
        p: two-sided, of the mean over patients and runs; p_adjusted: by Bonferroni.
    """

    where: Where
    arm: str
    other: str
    group: str
    against: str
    difference: Interval
    p: float
    p_adjusted: float


class _Subgroup(NamedTuple):
    pair: Pair
    name: str
    sample: Sample

    @property
    def compared(self) -> tuple[Where, str, str]:
        return self.pair.arm.where, self.pair.arm.arm, self.pair.name

    @property
    def left_out(self) -> str:
        """Why it is not tested; "" if it is."""
        if not self.name:
            return "no entry in the table: not tested"
        few = len(self.sample.values) < SMALLEST
        return f"fewer than {SMALLEST} patients: not tested" if few else ""


def subgroup_effects(
    pairs: Sequence[Pair], values: Mapping[str, Mapping[str, str]], margin: float
) -> tuple[list[SubgroupEffect], list[Contrast]]:
    """The effect of each pair in each group of patients, and the differences between groups.

    A group with fewer than 5 patients, and patients without an entry, are rows without a test.

    Args:
        pairs: arms with what they are compared with.
        values: task → patient → what it is grouped by; numbers are cut into thirds.
        margin: of practical equivalence.
    """
    found = [group for pair in pairs for group in _split(pair, values[pair.arm.where.task])]
    effects = _effects(found, margin)
    couples = [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if one.compared == other.compared and not one.left_out and not other.left_out
    ]
    return effects, _contrasts(couples)


def _split(pair: Pair, values: Mapping[str, str]) -> list[_Subgroup]:
    """The pair's patients with a score in both, by what they are grouped by."""
    difference = pair.difference()
    labels = group_labels([values.get(patient, "") for patient in pair.patients])
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        if not np.isnan(difference.values[row]).all():
            members[label].append(row)
    return [
        _Subgroup(pair, name, difference.of_patients(members[name]))
        for name in sorted(members, key=_natural)
    ]


def _natural(name: str) -> tuple[bool, float, str]:
    """Numbers, and ranges by where they begin, before words, and what has no entry last."""
    try:
        return False, float(name.partition(" to ")[0]), name
    except ValueError:
        return not name, math.inf, name


def _effects(found: Sequence[_Subgroup], margin: float) -> list[SubgroupEffect]:
    """The family is the groups that are tested."""
    judged = iter(judge(joined([infer_mean(g.sample) for g in found if not g.left_out])))
    return [_untested(g) if g.left_out else _effect(g, next(judged), margin) for g in found]


def _effect(group: _Subgroup, own: Judged, margin: float) -> SubgroupEffect:
    metric, patients = group.pair.metric, len(group.sample.values)
    effect = own.together.within(-metric.most, metric.most)
    word = group.pair.worded(effect_verdict(effect, patients, margin, metric.sign))
    return SubgroupEffect(
        *group.compared, group.name, patients, effect, own.p, own.p_adjusted, word, ""
    )


def _untested(group: _Subgroup) -> SubgroupEffect:
    effect = Interval(float(infer_mean(group.sample).mean[0]), math.nan, math.nan)
    patients = len(group.sample.values)
    return SubgroupEffect(
        *group.compared, group.name, patients, effect, math.nan, math.nan, "", group.left_out
    )


def _contrasts(couples: Sequence[tuple[_Subgroup, _Subgroup]]) -> list[Contrast]:
    found = [contrast(one.sample, other.sample) for one, other in couples]
    return [
        Contrast(*one.compared, one.name, other.name, own.together, own.p, own.p_adjusted)
        for (one, other), own in zip(couples, judge(joined(found)), strict=True)
    ]
