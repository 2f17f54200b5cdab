"""Effects of arms against the arms that they are compared with."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Scope, Where
from voxbench.analyses.pairing import Pair
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample, bootstrap, infer_each
from voxbench.stats.inference import Judged, judge
from voxbench.stats.interval import FEWEST_TASKS, UNDEFINED, Interval
from voxbench.stats.metric import FALSE_ALARMS
from voxbench.stats.moderated import Sides, moderate
from voxbench.stats.paired import FEWEST_PATIENTS, effect_verdict, wilcoxon

_ALL_LABELS = "100%"


@dataclass(frozen=True)
class Effect:
    """One row of an effect table: arm − other, in the metric's unit.

    Attributes:
        patients: with a defined difference; runs: trainings (draw × seed) behind each.
        effect: with an interval that holds at once with those of all rows; alone: with its own.
        p: two-sided, of the mean over patients and runs, as the interval alone is.
        covers: whose luck p and intervals know of.
        p_adjusted: by Bonferroni over all rows, as the first interval is.
        p_patients: Wilcoxon's signed-rank over patients; it knows nothing of runs, and tests no
            mean.
        verdict: better, worse, equivalent, undecided; head start or behind where the arm that lies
            behind has not converged; "" where nothing could be compared.
        converged, other_converged: arm and other: yes, no, unknown; "" where nothing was trained.
        alarms: of the share of absent structures that are predicted, arm − other, with an interval
            that holds at once with those of all rows; NaN where the reference lacks none.
        alarms_verdict: by it; fewer are better.
        undefined: case × class scores without a value, of both arms.
        failed: cells without a result, of both arms.
        contamination: whether the arm's weights have seen the test data.
        note: what a reader must know of this row.
    """

    where: Where
    train_patients: float
    arm: str
    other: str
    metric: str
    patients: int
    runs: int
    arm_mean: float
    other_mean: float
    effect: Interval
    alone: Interval
    p: float
    covers: str
    p_adjusted: float
    p_patients: float
    verdict: str
    converged: str
    other_converged: str
    alarms: Interval
    alarms_verdict: str
    undefined: int
    failed: int
    contamination: str
    note: str


@dataclass(frozen=True)
class Overall:
    """The effect of an arm over several tasks, with Student's interval over tasks.

    Attributes:
        note: what a reader must know of this row.
    """

    where: Scope
    arm: str
    other: str
    tasks: int
    effect: Interval
    note: str


def effects(pairs: Sequence[Pair], margin: float) -> list[Effect]:
    """The effect of each pair; the family is all of them, and that of false alarms another."""
    compared = [_compare(pair, pair.metric.key) for pair in pairs]
    judged = _judged(pairs, compared)
    return [
        _effect(pair, found, own, alarms, margin)
        for pair, found, own, alarms in zip(pairs, compared, judged, _alarms(pairs), strict=True)
    ]


class _Alarms(NamedTuple):
    effect: Interval
    verdict: str


def _alarms(pairs: Sequence[Pair]) -> list[_Alarms]:
    metric = FALSE_ALARMS["false_alarms"]
    compared = [_compare(pair, metric.key) for pair in pairs]
    effects = [own.together.within(-1.0, 1.0) for own in _judged(pairs, compared)]
    return [
        _Alarms(effect, effect_verdict(effect, found.patients, metric.margin, metric.sign))
        if found.patients
        else _Alarms(UNDEFINED, "")
        for effect, found in zip(effects, compared, strict=True)
    ]


class _Compared(NamedTuple):
    difference: Sample
    run_means: Array
    arm_mean: float
    other_mean: float
    patients: int
    left_out: int


def _compare(pair: Pair, key: str) -> _Compared:
    """Difference and means on what is defined in both, so that the means differ by the effect."""
    shared = pair.shared(key)
    difference = shared.values[0] - shared.values[1]
    undefined = np.isnan(difference)
    both = np.where(undefined, np.nan, shared.values)
    arm_mean, other_mean = nanmean(nanmean(both, axis=2), axis=1).tolist()
    sample = pair.sample(difference)
    patients = int((~undefined).any(axis=1).sum())
    return _Compared(sample, nanmean(both, axis=1), arm_mean, other_mean, patients, shared.left_out)


def _judged(pairs: Sequence[Pair], compared: Sequence[_Compared]) -> list[Judged]:
    """Each difference as one of all, which know of each other's runs."""
    found = infer_each([own.difference for own in compared])
    sides = [
        Sides(
            pair.arm.where,
            (pair.arm.arm, pair.name),
            pair.runs,
            own.run_means,
            own.difference.folded,
        )
        for pair, own in zip(pairs, compared, strict=True)
    ]
    return judge(found._replace(known=moderate(found.known, sides)))


def _effect(pair: Pair, found: _Compared, own: Judged, alarms: _Alarms, margin: float) -> Effect:
    most = pair.metric.most
    effect, alone = (interval.within(-most, most) for interval in own[:2])
    sides = [group for group in (pair.arm, pair.other) if group]
    word = effect_verdict(effect, found.patients, margin, pair.metric.sign)
    return Effect(
        where=pair.arm.where,
        train_patients=pair.arm.train_patients,
        arm=pair.arm.arm,
        other=pair.name,
        metric=pair.metric.key,
        patients=found.patients,
        runs=len(found.difference.draws),
        arm_mean=found.arm_mean,
        other_mean=found.other_mean,
        effect=effect,
        alone=alone,
        p=own.p,
        covers=covered(found.difference),
        p_adjusted=own.p_adjusted,
        p_patients=wilcoxon(nanmean(found.difference.values, axis=1)),
        verdict=pair.worded(word) if found.patients else "",
        converged=pair.arm.convergence.word,
        other_converged=pair.other.convergence.word if pair.other else "unknown",
        alarms=alarms.effect,
        alarms_verdict=alarms.verdict,
        undefined=sum(group.undefined[pair.metric.key] for group in sides),
        failed=sum(len(group.failed) for group in sides),
        contamination=pair.arm.contamination,
        note="; ".join(_notes(pair, found)),
    )


def covered(sample: Sample) -> str:
    """Whose luck the interval and p of a sample know of."""
    draws = sample.draws
    if sample.folded:
        return "patients, folds" if draws else ""
    if len(set(draws)) > 1:
        return "patients, draws"
    return "patients, seeds" if len(draws) > 1 else "patients only" if draws else ""


def _notes(pair: Pair, found: _Compared) -> Iterator[str]:
    runs, patients = len(pair.runs), found.patients
    if pair.other is None:
        yield f"no record of {pair.name}"
    elif not pair.arm.runs or not pair.other.runs:
        yield f"no finished cell of {pair.name if pair.arm.runs else pair.arm.arm}"
    elif not runs:
        yield "no draw and seed in common"
    elif not patients:
        yield "no patient with a score in both"
    else:
        if patients < FEWEST_PATIENTS:
            yield f"fewer than {FEWEST_PATIENTS} patients: no verdict"
        if runs == 1 and not found.difference.folded:
            yield "1 run: p and intervals leave out the spread between seeds"
        if len({run.draw for run in pair.runs}) == 1 and pair.arm.where.fraction != _ALL_LABELS:
            yield "1 draw of the labels"
        lost = len({*pair.arm.runs, *pair.other.runs}) - runs
        if lost:
            yield f"{lost} run{'s' if lost > 1 else ''} without a counterpart left out"
        if found.left_out:
            yield f"{found.left_out} pairs of a case and a class that one arm lacks left out"
        for note in dict.fromkeys((*pair.arm.notes, *pair.other.notes)):
            own = [group.arm for group in (pair.arm, pair.other) if note in group.notes]
            yield note if len(own) == 2 else f"{note} ({own[0]})"


def overall(pairs: Sequence[Pair]) -> list[Overall]:
    """The effect over tasks, for each arm and fraction that at least two share with one recipe."""
    found: dict[tuple[Scope, str, str, str], dict[str, list[Sample]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for pair in pairs:
        compared = _compare(pair, pair.metric.key)
        if compared.patients:
            where, recipe = pair.arm.where, pair.arm.recipe
            key = where.scope, pair.arm.arm, pair.name, recipe
            found[key][where.task].append(compared.difference)
    rows = []
    for (scope, arm, other, _), tasks in found.items():
        if len(tasks) > 1:
            most = pairs[0].metric.most
            effect = bootstrap(*(samples[0] for samples in tasks.values())).within(-most, most)
            note = "; ".join(_overall_notes(tasks))
            rows.append(Overall(scope, arm, other, len(tasks), effect, note))
    return rows


def _overall_notes(tasks: Mapping[str, Sequence[Sample]]) -> Iterator[str]:
    if len(tasks) < FEWEST_TASKS:
        yield f"no interval over fewer than {FEWEST_TASKS} tasks"
    several = [task for task, samples in tasks.items() if len(samples) > 1]
    if several:
        yield f"one of several versions of the data of {', '.join(several)}"
