"""A league: the arms of a board against each other, ranked with ties."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.analyses.ranks.pairs import PairRow, all_pairs
from voxbench.stats.arrays import Array, defined
from voxbench.stats.bootstrap import Estimates, estimate, infer_means
from voxbench.stats.interval import FEWEST_TASKS, TAILS, Interval
from voxbench.stats.iqm import iqm_intervals
from voxbench.stats.ranks import Aggregation, aggregate, ranks, tie_letters

TIES = (
    "An arm's place is 1 + the arms that are better than it, by the verdict of their pair: the "
    "interval of the mean difference, over patients and runs and for all pairs at once, excludes 0 "
    "and is not inside the margin. Arms that share a letter are tied."
)


@dataclass(frozen=True)
class RankRow:
    """One arm of a ranking, by place, then by rank.

    Attributes:
        place: 1 + the arms that are better by the verdict of their pair.
        group: letters of the tied groups that it belongs to.
        tasks: with a score.
        patients: with a score, over all tasks.
        mean: of the metric over tasks.
        iqm: interquartile mean over patients, of the mean over tasks.
        rank: by the means.
        first: share of the resamples in which it is best, a tie counting for neither.
        note: where its rank is better than that of an arm in a place before it.
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
    note: str


class League(NamedTuple):
    """A board with all its pairs and its ranking, best first."""

    board: Board
    pairs: list[PairRow]
    rows: list[RankRow]


def league(board: Board, margin: float, how: Aggregation = "tasks") -> League:
    """Compare all pairs and rank all arms; tasks, patients and runs are resampled once for both."""
    found = estimate(board.samples)
    pairs = all_pairs(board, margin, found)
    return League(board, pairs, _table(board, pairs, found, how))


def _table(
    board: Board, pairs: Sequence[PairRow], found: Estimates, how: Aggregation
) -> list[RankRow]:
    point, drawn = _ranks(board, found, how)
    means = infer_means(found, board.samples).intervals()
    inner = iqm_intervals(board.samples)
    better = _better(board, pairs)
    beaten = Counter(loser for _, loser in better)
    order = sorted(
        range(len(board.arms)), key=lambda arm: (beaten[arm], np.nan_to_num(point[arm], nan=np.inf))
    )
    letters = tie_letters(order, {frozenset(pair) for pair in better})
    scored = [defined(patient_means(sample)) for sample in board.samples]
    rows = []
    for at, arm in enumerate(order):
        patients = [int(own[arm]) for own in scored]
        rank, first = _spread(point[arm], drawn[:, arm], len(board.samples))
        mean, iqm = (own[arm].within(0.0, board.metric.most) for own in (means, inner))
        passed = [board.arms[other] for other in order[:at] if point[other] > point[arm]]
        rows.append(
            RankRow(
                1 + beaten[arm], board.arms[arm], letters[arm], sum(n > 0 for n in patients),
                sum(patients), mean, iqm, rank, first, _note(passed),
            )
        )  # fmt: skip
    return rows


def _note(passed: Sequence[str]) -> str:
    if not passed:
        return ""
    return f"ranks before {', '.join(passed)}, but more arms are shown to be better than it"


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


def _better(board: Board, pairs: Sequence[PairRow]) -> set[tuple[int, int]]:
    """(winner, loser) of each pair with a winner."""
    number = {arm: i for i, arm in enumerate(board.arms)}
    found = set()
    for pair in pairs:
        if pair.verdict in ("better", "worse"):
            one, other = number[pair.arm], number[pair.other]
            found.add((one, other) if pair.verdict == "better" else (other, one))
    return found
