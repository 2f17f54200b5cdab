"""Every figure of every arm with its interval, and what pre-training changes of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.by_run import ByRun, Paired, paired, patients_in, whole_sample
from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.figures import Scored, What
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample, infer_each
from voxbench.stats.counts import patient_counts, run_counts
from voxbench.stats.inference import judge, percentiles_of
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.moderated import Sides, moderate
from voxbench.stats.paired import effect_verdict
from voxbench.uncertainty.detection import false_positives
from voxbench.uncertainty.intervals import RESAMPLES
from voxbench.uncertainty.names import bounds_of, difference_bounds, sign_of

MARGIN = 0.01  # of figures in 0 … 1: what counts as practically the same


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
        paired: arm and twin.
    """

    doubt: Doubt
    what: What
    ours: Sample
    paired: Paired


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
            theirs: ByRun = twins.get(what, {})
            compared = _Compared(doubt, what, whole_sample(ours), paired(ours, theirs))
            families[what.application, what.figure].append(compared)
    rows = [row for family in families.values() for row in _judged(family)]
    return [*rows, *(row for doubt in doubts for row in _false_positives(doubt))]


def _judged(family: Sequence[_Compared]) -> Iterator[DoubtRow]:
    """Effects whose intervals hold at once; arms lend each other what they show of seeds."""
    differences = [one.paired.difference for one in family]
    inference = infer_each(differences)
    sides = [
        Sides(
            (one.doubt.where, one.doubt.model, one.what),
            (one.doubt.arm, one.doubt.twin or ""),
            one.paired.runs,
            one.paired.means,
        )
        for one in family
    ]
    found = judge(inference._replace(known=moderate(inference.known, sides)))
    values = infer_each([one.ours for one in family]).intervals()
    for one, difference, own, value in zip(family, differences, found, values, strict=True):
        figure = one.what.figure
        patients, sign = patients_in(difference), sign_of(figure)
        effect = own.together.within(*difference_bounds(figure)) if patients else UNDEFINED
        yield DoubtRow(
            where=one.doubt.where,
            arm=one.doubt.arm,
            model=one.doubt.label,
            what=one.what,
            value=value.within(*bounds_of(figure)),
            effect=effect,
            verdict=effect_verdict(effect, patients, MARGIN, sign) if patients and sign else "",
            patients=patients_in(one.ours),
            runs=len(one.ours.draws),
        )


def _false_positives(doubt: Doubt) -> Iterator[DoubtRow]:
    """A row for each score and strange set, of the runs in which cases of both kinds have it."""
    for what, by_run in doubt.detected().items():
        known = {run: by_run[run].defined for run in sorted(by_run)}
        known = {run: own for run, own in known.items() if {0.0, 1.0} <= {*own.against}}
        if not known:
            continue
        drawn, points = zip(*map(_resampled, known.values()), strict=True)
        weights = run_counts(tuple(run.draw for run in known), 0, RESAMPLES).T
        mean = (weights * np.array(drawn)).sum(axis=0) / weights.sum(axis=0)
        patients = len({patient for scored in known.values() for patient in scored.patients})
        point, units = np.array([np.mean(points)]), np.array([patients], np.intp)
        [value] = percentiles_of(mean[:, None], point, units)
        named = what._replace(figure="FPR at 95%")
        where = doubt.where, doubt.arm, doubt.label, named
        yield DoubtRow(*where, value, UNDEFINED, "", patients, len(known))


def _resampled(scored: Scored) -> tuple[Array, float]:
    """The rate in each resample of the patients, (resample,), and that of all."""
    names, owner = np.unique(scored.patients, return_inverse=True)
    times = patient_counts(len(names), 1, 0, RESAMPLES)[:, owner]
    every = np.ones((1, len(owner)))
    rates = false_positives(scored.score, scored.against, np.concatenate([every, times]))
    return rates[1:], float(rates[0])
