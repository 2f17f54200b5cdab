"""Does the ranking hold under another metric, aggregation, or policy for what is missing?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from voxbench.analyses.groups import Group
from voxbench.analyses.ranks.board import (
    POLICIES,
    Board,
    Policy,
    apply_policy,
    boards,
    patient_means,
)
from voxbench.errors import SpecError
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.metric import ALL, METRICS
from voxbench.stats.ranks import AGGREGATIONS, Aggregation, aggregate, ranks


@dataclass(frozen=True)
class Variant:
    """One way to rank, and what comes of it.

    Attributes:
        ranks: of each arm, (arm,); NaN without a score.
        tau: Kendall's τ-b with the first variant; NaN where a ranking is one tie.
        leader: the best arm or arms.
        note: why there is no ranking.
    """

    metric: str
    aggregation: Aggregation
    policy: Policy
    ranks: Array
    tau: float
    leader: tuple[str, ...]
    note: str = ""


def sensitivity(groups: Sequence[Group], reference: Board) -> list[Variant]:
    """All metrics, aggregations and policies; the first is the reference's metric by tasks.

    Metrics without a score are left out, and false alarms and the conventions about them where no
    structure is absent.
    """
    others = METRICS if reference.alarms is None else ALL
    order = [reference.metric, *(m for m in others.values() if m != reference.metric)]
    found: list[Variant] = []
    for metric in order:
        [board] = [b for b in boards(groups, metric) if b.scope == reference.scope]
        if all(np.isnan(sample.values).all() for sample in board.samples):
            continue
        for policy in POLICIES:
            for how in AGGREGATIONS:
                found.append(_variant(board, how, policy, found[0].ranks if found else None))
    return found


def _variant(board: Board, how: Aggregation, policy: Policy, first: Array | None) -> Variant:
    try:
        kept = apply_policy(board, policy)
    except SpecError as error:
        nothing = np.full(len(board.arms), np.nan)
        return Variant(board.metric.key, how, policy, nothing, np.nan, (), str(error))
    points = np.array([nanmean(patient_means(s), axis=0) for s in kept.samples])
    sizes = np.array([float(sample.values.shape[1]) for sample in kept.samples])
    once = np.ones((1, len(points)))
    found = ranks(aggregate(points[:, None], once, sizes, how, board.metric.sign))[0]
    leader = tuple(a for a, r in zip(board.arms, found, strict=True) if r == np.nanmin(found))
    tau = _tau(found, found if first is None else first)
    return Variant(board.metric.key, how, policy, found, tau, leader)


def _tau(one: Array, other: Array) -> float:
    known = ~np.isnan(one) & ~np.isnan(other)
    if len(set(one[known])) < 2 or len(set(other[known])) < 2:
        return float("nan")
    return float(stats.kendalltau(one[known], other[known]).statistic)
