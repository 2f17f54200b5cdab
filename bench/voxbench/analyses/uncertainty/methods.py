"""Which way of doubting is best: prediction model × measure × aggregation, on each task."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.by_run import ByRun, paired, patients_of, sample_of_runs, whole_sample
from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import infer_each
from voxbench.stats.counts import patient_counts
from voxbench.stats.inference import judge, percentiles_of
from voxbench.stats.interval import Interval
from voxbench.stats.ranks import ranks
from voxbench.stats.shares import variance_shares
from voxbench.uncertainty.names import AGREEMENT, difference_bounds, sign_of

FIGURES = "AURC of 1 − Dice", "AUROC"
"""What methods are ranked by: of failure detection, and of OoD detection."""
_RESAMPLES = 1000


class Method(NamedTuple):
    """A prediction model, a measure of its members, and how a map becomes one score a case."""

    model: str
    measure: str
    aggregation: str


class Contest(NamedTuple):
    """What methods compete in: an arm at one fraction of a task, and a figure of some cases."""

    where: Where
    arm: str
    figure: str
    cases: str


@dataclass(frozen=True)
class MethodRow:
    """A method in its contest.

    Attributes:
        value: the figure.
        rank: 1 is best; equal values share their mean rank.
        behind: method − best, with an interval that holds at once with those of the contest, over
            patients and the runs that both have.
        tied: with the best: the interval holds 0.
    """

    contest: Contest
    method: Method
    value: float
    rank: float
    behind: Interval
    tied: bool


@dataclass(frozen=True)
class MethodShares:
    """How much of what methods differ by is due to each component.

    Attributes:
        model, measure, aggregation: share of the sum of squares, see `stats.shares`; with an
            interval over patients.
        rest: interactions and noise.
        methods: that were there.
    """

    contest: Contest
    model: Interval
    measure: Interval
    aggregation: Interval
    rest: Interval
    methods: int


def contests(doubts: Sequence[Doubt]) -> dict[Contest, dict[Method, ByRun]]:
    """The methods of each contest, with their values by run and patient."""
    found: dict[Contest, dict[Method, ByRun]] = defaultdict(dict)
    for doubt in doubts:
        for what, values in doubt.values.items():
            if what.figure in FIGURES:
                contest = Contest(doubt.where, doubt.arm, what.figure, what.cases)
                method = Method(doubt.label, what.measure, what.aggregation)
                found[contest][method] = values
    return {contest: own for contest, own in found.items() if len(own) > 1}


def method_rows(found: Mapping[Contest, Mapping[Method, ByRun]]) -> list[MethodRow]:
    """All methods of all contests, the best of each first."""
    return [row for contest, own in found.items() for row in _ranked(contest, own)]


def _ranked(contest: Contest, methods: Mapping[Method, ByRun]) -> Iterator[MethodRow]:
    sign = sign_of(contest.figure)
    points = {method: _mean(values) for method, values in methods.items()}
    defined = [method for method, point in points.items() if not np.isnan(point)]
    if not defined:
        return
    scores = np.array([[sign * points[method] for method in defined]])
    places = dict(zip(defined, ranks(scores)[0].tolist(), strict=True))
    best, *others = sorted(defined, key=lambda method: (places[method], method))
    differences = [paired(methods[other], methods[best]).difference for other in others]
    away = judge(infer_each(differences))
    yield MethodRow(contest, best, points[best], places[best], Interval(0.0, 0.0, 0.0), True)
    for other, own in zip(others, away, strict=True):
        behind = own.together.within(*difference_bounds(contest.figure))
        tied = behind.low <= 0 <= behind.high
        yield MethodRow(contest, other, points[other], places[other], behind, tied)


def _mean(values: ByRun) -> float:
    """Over patients of the mean over runs."""
    return float(nanmean(nanmean(whole_sample(values).values, axis=1), axis=0))


def component_rows(found: Mapping[Contest, Mapping[Method, ByRun]]) -> list[MethodShares]:
    """Each contest's shares; pairwise Dice, which has no measure, is left out."""
    rows = []
    for contest, own in found.items():
        methods = [method for method in own if method.measure != AGREEMENT]
        if len(methods) > 1:
            rows.append(_components(contest, methods, [own[method] for method in methods]))
    return rows


def _components(
    contest: Contest, methods: Sequence[Method], values: Sequence[ByRun]
) -> MethodShares:
    """Shares of all patients, and of resamples of them."""
    patients = sorted(set.intersection(*({*patients_of(own)} for own in values)))
    by_patient = np.stack(
        [nanmean(sample_of_runs(own, sorted(own), patients).values, axis=1) for own in values]
    )
    known = by_patient[:, ~np.isnan(by_patient).any(axis=0)]
    times = patient_counts(known.shape[1], 1, 0, _RESAMPLES)
    weights = np.concatenate([np.ones((1, known.shape[1])), times]) / max(1, known.shape[1])
    levels = [np.unique(column, return_inverse=True)[1] for column in zip(*methods, strict=True)]
    shares = variance_shares(weights @ known.T, levels)
    units = np.full(shares.shape[1], known.shape[1], np.intp)
    found = (own.within(0.0, 1.0) for own in percentiles_of(shares[1:], shares[0], units))
    model, measure, aggregation, rest = found
    return MethodShares(contest, model, measure, aggregation, rest, len(methods))


def mean_ranks(rows: Sequence[MethodRow]) -> list[tuple[str, Method, float, int, int]]:
    """Figure, method, its mean rank over contests, how often it is best or tied, and of how many.

    Contests in which a method has no value count nothing for it.
    """
    found: dict[tuple[str, Method], list[MethodRow]] = defaultdict(list)
    for row in rows:
        found[row.contest.figure, row.method].append(row)
    told = [
        (figure, method, float(np.mean([r.rank for r in own])), sum(r.tied for r in own), len(own))
        for (figure, method), own in found.items()
    ]
    return sorted(told, key=lambda one: (one[0], one[2], one[1]))
