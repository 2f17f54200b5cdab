"""Every figure of every arm with its interval, and what pre-training changes of it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Run, Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.figures import Scored, What
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample, infer_each
from voxbench.stats.counts import patient_counts, run_counts
from voxbench.stats.inference import judge, percentiles_of
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.moderated import Sides, moderate
from voxbench.stats.paired import effect_verdict
from voxbench.uncertainty.detection import false_positives
from voxbench.uncertainty.intervals import RESAMPLES

MARGIN = 0.01  # of figures in 0 … 1: what counts as practically the same

ByRun = Mapping[Run, Mapping[str, float]]


@dataclass(frozen=True)
class DoubtRow:
    """One figure of an arm beside its twin's.

    Attributes:
        value: with its 95% interval over patients and runs.
        effect: arm − twin on the patients and runs that both have, with an interval that holds at
            once with those of all rows of this figure.
        verdict: better, worse, equivalent, undecided; "" where nothing is compared.
        patients: that the value is defined of.
    """

    where: Where
    arm: str
    model: str
    what: What
    value: Interval
    effect: Interval
    verdict: str
    patients: int
    runs: int


class _Compared(NamedTuple):
    """A figure of an arm, beside its twin's.

    Attributes:
        doubt: the arm by a prediction model.
        what: the figure.
        ours: its values, (patient, run).
        difference: arm − twin, (patient, run), of what both have.
        runs: that both have.
        means: of arm and twin over the patients that both have, (2, run).
    """

    doubt: Doubt
    what: What
    ours: Sample
    difference: Sample
    runs: tuple[Run, ...]
    means: Array


def doubt_rows(doubts: Sequence[Doubt]) -> list[DoubtRow]:
    """Every figure of every arm, with its effect against the scratch twin.

    False positives at 95% are a rate at a quantile, of which no pseudo-values can be made: their
    interval is that of the bootstrap, and arms are not compared by them.
    """
    values = [doubt.values for doubt in doubts]
    known = {(d.where, d.arm, d.model): own for d, own in zip(doubts, values, strict=True)}
    families: dict[tuple[str, str], list[_Compared]] = defaultdict(list)
    for doubt, own in zip(doubts, values, strict=True):
        twins = known.get((doubt.where, doubt.twin or "", doubt.model), {})
        for what, ours in own.items():
            compared = _compared(doubt, what, ours, twins.get(what, {}))
            families[what.application, what.figure].append(compared)
    rows = [row for family in families.values() for row in _judged(family)]
    return [*rows, *(row for doubt in doubts for row in _false_positives(doubt))]


def _compared(doubt: Doubt, what: What, ours: ByRun, theirs: ByRun) -> _Compared:
    """Arm and twin on the patients and runs that both have."""
    runs = tuple(sorted(run for run in ours if run in theirs))
    there = {*patients_of(theirs)}
    patients = [patient for patient in patients_of(ours) if patient in there]
    one, other = (sample_of(side, runs, patients) for side in (ours, theirs))
    difference = Sample(one.values - other.values, one.draws)
    both = np.where(np.isnan(difference.values), np.nan, np.stack([one.values, other.values]))
    own = sample_of(ours, sorted(ours), patients_of(ours))
    return _Compared(doubt, what, own, difference, runs, nanmean(both, axis=1))


def _judged(family: Sequence[_Compared]) -> Iterator[DoubtRow]:
    """Effects whose intervals hold at once; arms lend each other what they show of seeds."""
    inference = infer_each([one.difference for one in family])
    sides = [
        Sides(
            (one.doubt.where, one.doubt.model, one.what),
            (one.doubt.arm, one.doubt.twin or ""),
            one.runs,
            one.means,
        )
        for one in family
    ]
    found = judge(inference._replace(known=moderate(inference.known, sides)))
    values = infer_each([one.ours for one in family]).intervals()
    for one, own, value in zip(family, found, values, strict=True):
        patients, sign = _defined(one.difference), one.what.sign
        effect = own.together if patients else UNDEFINED
        yield DoubtRow(
            where=one.doubt.where,
            arm=one.doubt.arm,
            model=one.doubt.label,
            what=one.what,
            value=value.within(*one.what.bounds),
            effect=effect,
            verdict=effect_verdict(effect, patients, MARGIN, sign) if patients and sign else "",
            patients=_defined(one.ours),
            runs=len(one.ours.draws),
        )


def _defined(sample: Sample) -> int:
    """Patients with a value."""
    return int((~np.isnan(sample.values)).any(axis=1).sum())


def _false_positives(doubt: Doubt) -> Iterator[DoubtRow]:
    """A row for each score and strange set."""
    for what, by_run in doubt.detected().items():
        runs = sorted(by_run)
        drawn, points = zip(*(_resampled(by_run[run]) for run in runs), strict=True)
        weights = run_counts(tuple(run.draw for run in runs), 0, RESAMPLES).T
        mean = (weights * np.array(drawn)).sum(axis=0) / weights.sum(axis=0)
        patients = len({*by_run[runs[0]].patients})
        point, units = np.array([np.mean(points)]), np.array([patients], np.intp)
        [value] = percentiles_of(mean[:, None], point, units)
        named = what._replace(figure="FPR at 95%")
        where = doubt.where, doubt.arm, doubt.label, named
        yield DoubtRow(*where, value, UNDEFINED, "", patients, len(runs))


def _resampled(scored: Scored) -> tuple[Array, float]:
    """The rate in each resample of the patients, and that of all."""
    known = ~np.isnan(scored.score)
    score, ood = scored.score[known], scored.against[known]
    who = np.array(scored.patients)[known]
    names, owner = np.unique(who, return_inverse=True)
    times = patient_counts(len(names), 1, 0, RESAMPLES)[:, owner]
    every = np.ones((1, len(owner)))
    rates = false_positives(score, ood, np.concatenate([every, times]))
    return rates[1:], float(rates[0])


def patients_of(values: ByRun) -> list[str]:
    """All of a figure, sorted."""
    return sorted({patient for own in values.values() for patient in own})


def sample_of(values: ByRun, runs: Sequence[Run], patients: Sequence[str]) -> Sample:
    """A figure's values, (patient, run)."""
    table = [[values[run].get(patient, math.nan) for run in runs] for patient in patients]
    found: Array = np.array(table, np.float64).reshape(len(patients), len(runs))
    return Sample(found, tuple(run.draw for run in runs))
