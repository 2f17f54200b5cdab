"""A league: the arms of a board against each other, ranked with ties."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.analyses.ranks.pairs import PairRow, all_pairs
from voxbench.stats.arrays import Array, defined
from voxbench.stats.bootstrap import Estimates, estimate, intervals
from voxbench.stats.interval import TAILS, Interval
from voxbench.stats.iqm import iqm_intervals
from voxbench.stats.ranks import Aggregation, aggregate, ranks, tie_letters

Ties = Literal["test", "verdict"]


@dataclass(frozen=True)
class RankRow:
    """One arm of a ranking, best first.

    Attributes:
        place: 1 + the arms that the tests call better: arms of one place are tied.
        group: letters of the tied groups that it belongs to.
        tasks: with a score.
        patients: with a score, over all tasks.
        mean: of the metric over tasks.
        iqm: interquartile mean over patients, of the mean over tasks.
        rank: by the means.
        first: share of the resamples in which it is best, a tie counting for neither.
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


class League(NamedTuple):
    """A board with all its pairs and its ranking, best first."""

    board: Board
    pairs: list[PairRow]
    rows: list[RankRow]


def league(
    board: Board,
    margin: float,
    how: Aggregation = "tasks",
    ties: Ties = "test",
) -> League:
    """Compare all pairs and rank all arms; tasks, patients and runs are resampled once for both.

    `ties` says which pairs are apart: those that the paired test separates, or those whose verdict
    is better or worse. The test knows patients only; the verdict's interval also holds the luck of
    few training runs.
    """
    found = estimate(board.samples)
    pairs = all_pairs(board, margin, found)
    return League(board, pairs, _table(board, pairs, found, how, ties))


def _table(
    board: Board,
    pairs: Sequence[PairRow],
    found: Estimates,
    how: Aggregation,
    ties: Ties,
) -> list[RankRow]:
    point, drawn = _ranks(board, found, how)
    means, inner = intervals(found, board.samples), iqm_intervals(board.samples)
    order = [int(arm) for arm in np.argsort(point, kind="stable")]
    better = _better(board, pairs, ties)
    letters = tie_letters(order, {frozenset(pair) for pair in better})
    beaten = Counter(loser for _, loser in better)
    scored = [defined(patient_means(sample)) for sample in board.samples]
    rows = []
    for arm in order:
        patients = [int(own[arm]) for own in scored]
        rank, first = _spread(point[arm], drawn[:, arm])
        mean, iqm = (own[arm].within(0.0, board.metric.most) for own in (means, inner))
        rows.append(
            RankRow(
                1 + beaten[arm], board.arms[arm], letters[arm], sum(n > 0 for n in patients),
                sum(patients), mean, iqm, rank, first,
            )
        )  # fmt: skip
    return rows


def _ranks(board: Board, found: Estimates, how: Aggregation) -> tuple[Array, Array]:
    """Ranks by the scores themselves, (arm,), and in each resample, (resample, arm)."""
    scored = [~np.isnan(sample.values).all(axis=(0, 2)) for sample in board.samples]
    sizes = np.array([float(own.sum()) for own in scored])
    once, sign = np.ones((1, len(sizes))), board.metric.sign
    return (
        ranks(aggregate(found.points[:, None], once, sizes, how, sign))[0],
        ranks(aggregate(found.drawn, found.times, sizes, how, sign)),
    )


def _spread(point: float, drawn: Array) -> tuple[Interval, float]:
    """A rank with its 95% interval, and the share of resamples in which it is 1."""
    own = drawn[~np.isnan(drawn)]
    if not own.size:
        return Interval.of(point, math.nan, math.nan), math.nan
    return Interval.of(point, *np.quantile(own, TAILS)), float((own == 1).mean())


def _better(board: Board, pairs: Sequence[PairRow], ties: Ties) -> set[tuple[int, int]]:
    """(winner, loser) of each pair that is apart."""
    number = {arm: i for i, arm in enumerate(board.arms)}
    found = set()
    for pair in pairs:
        if pair.separated if ties == "test" else pair.verdict in ("better", "worse"):
            ahead = pair.effect.mean * board.metric.sign > 0
            one, other = number[pair.arm], number[pair.other]
            found.add((one, other) if ahead else (other, one))
    return found
