"""A league: the arms of a board against each other, ranked with ties."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.analyses.ranks.pairs import PairDecision, PairRow, all_pairs, decide_pairs
from voxbench.stats.arrays import Array, defined
from voxbench.stats.bootstrap import Estimates, estimate, infer_means
from voxbench.stats.interval import FEWEST_TASKS, TAILS, UNDEFINED, Interval
from voxbench.stats.iqm import iqm_intervals
from voxbench.stats.ranks import Aggregation, aggregate, ranks, tie_letters

TIES = (
    "An arm's place is 1 + the arms that are better than it, by the verdict of their pair: the "
    "interval of the mean difference, over patients and runs and for all pairs at once, excludes 0 "
    "and is not inside the margin. Arms that share a letter are tied; of one place, those that are "
    "shown to raise more false alarms come last."
)


@dataclass(frozen=True)
class RankRow:
    """One arm of a ranking, by place, then by false alarms that are shown, then by rank.

    Attributes:
        place: 1 + the arms that are better by the verdict of their pair.
        group: letters of the tied groups that it belongs to.
        tasks: with a score.
        patients: with a score, over all tasks.
        mean: of the metric over tasks.
        iqm: interquartile mean over patients, of the mean over tasks.
        rank: by the means.
        first: share of the resamples in which it is best, a tie counting for neither.
        alarms: share of absent structures that are predicted; NaN where the reference lacks none.
        note: where its rank is better than that of an arm before it; and of its records.
    """

    place: int
    arm: str
    group: str
    tasks: int
    patients: int
    mean: Interval
    iqm: Interval
    rank: Interval
    first: float
    alarms: Interval
    note: str


@dataclass(frozen=True)
class League:
    """A board with what is decided of its pairs, and its ranking, best first."""

    board: Board
    decided: list[PairDecision]
    rows: list[RankRow]

    @cached_property
    def pairs(self) -> list[PairRow]:
        """All pairs with all their tests."""
        return all_pairs(self.board, self.decided)


def league(board: Board, margin: float, how: Aggregation = "tasks") -> League:
    """Compare all pairs and rank all arms; tasks, patients and runs are resampled once for both."""
    found = estimate(board.samples)
    heard = estimate(board.alarms.samples) if board.alarms else None
    decided = decide_pairs(board, found, heard, margin)
    return League(board, decided, _table(board, decided, found, heard, how))


def _table(
    board: Board,
    decided: Sequence[PairDecision],
    found: Estimates,
    heard: Estimates | None,
    how: Aggregation,
) -> list[RankRow]:
    point, drawn = _ranks(board, found, how)
    means = infer_means(found, board.samples).intervals()
    inner, alarms = iqm_intervals(board.samples), _alarm_means(board, heard)
    scored = [defined(patient_means(sample)) for sample in board.samples]
    rows = []
    for standing in _standings(board, decided, point):
        arm = standing.arm
        patients = [int(own[arm]) for own in scored]
        rank, first = _spread(point[arm], drawn[:, arm], len(board.samples))
        mean, iqm = (own[arm].within(0.0, board.metric.most) for own in (means, inner))
        rows.append(
            RankRow(
                standing.place, board.arms[arm], standing.letters, sum(n > 0 for n in patients),
                sum(patients), mean, iqm, rank, first, alarms[arm], standing.note,
            )
        )  # fmt: skip
    return rows


class _Standing(NamedTuple):
    arm: int
    place: int
    letters: str
    note: str


def _standings(board: Board, decided: Sequence[PairDecision], point: Array) -> list[_Standing]:
    """Arms by place, then by false alarms that are shown, then by rank."""
    better = _apart((own.verdict, own.arm, own.other) for own in decided)
    beaten = Counter(loser for _, loser in better)
    alarmed = _apart((own.alarms_verdict, own.arm, own.other) for own in decided)
    louder = Counter(loser for _, loser in alarmed)
    last = np.nan_to_num(point, nan=np.inf)
    order = sorted(range(len(board.arms)), key=lambda arm: (beaten[arm], louder[arm], last[arm]))
    letters = tie_letters(order, {frozenset(pair) for pair in better})
    found = []
    for at, arm in enumerate(order):
        passed = [other for other in order[:at] if point[other] > point[arm]]
        outdone = [board.arms[other] for other in passed if beaten[other] < beaten[arm]]
        heard = [board.arms[other] for other in passed if beaten[other] == beaten[arm]]
        notes = [
            f"ranks before {', '.join(outdone)}, but more arms are shown to be better than it",
            f"ranks before {', '.join(heard)}, but is shown to raise more false alarms",
        ]
        told = [note for note, arms in zip(notes, (outdone, heard), strict=True) if arms]
        told += board.notes.get(board.arms[arm], ())
        found.append(_Standing(arm, 1 + beaten[arm], letters[arm], "; ".join(told)))
    return found


def _alarm_means(board: Board, heard: Estimates | None) -> list[Interval]:
    """Of each arm."""
    if board.alarms is None or heard is None:
        return [UNDEFINED] * len(board.arms)
    found = infer_means(heard, board.alarms.samples)
    return [own.within(0.0, 1.0) for own in found.intervals()]


def _ranks(board: Board, found: Estimates, how: Aggregation) -> tuple[Array, Array]:
    """Ranks by the scores themselves, (arm,), and in each resample, (resample, arm)."""
    scored = [~np.isnan(sample.values).all(axis=(0, 2)) for sample in board.samples]
    sizes = np.array([float(own.sum()) for own in scored])
    once, sign = np.ones((1, len(sizes))), board.metric.sign
    return (
        ranks(aggregate(found.points[:, None], once, sizes, how, sign))[0],
        ranks(aggregate(found.drawn, found.times, sizes, how, sign)),
    )


def _spread(point: float, drawn: Array, tasks: int) -> tuple[Interval, float]:
    """A rank with its 95% interval, and the share of resamples in which it is 1.

    Over several tasks they are resampled, which two of them are too few for.
    """
    own = drawn[~np.isnan(drawn)]
    if not own.size or 1 < tasks < FEWEST_TASKS:
        return Interval.of(point, math.nan, math.nan), math.nan
    return Interval.of(point, *np.quantile(own, TAILS)), float((own == 1).mean())


def _apart(told: Iterable[tuple[str, int, int]]) -> set[tuple[int, int]]:
    """(winner, loser) of each pair with a winner, of verdicts with their arms."""
    return {
        (one, other) if word == "better" else (other, one)
        for word, one, other in told
        if word in ("better", "worse")
    }
