"""Ranks with ties: within one fraction of one task, and over the tasks that arms share."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from voxbench.analyses.groups import Group, Where
from voxbench.analyses.table import Column, Table, interval
from voxbench.errors import SpecError
from voxbench.stats.board import Board, Scope, boards, settle
from voxbench.stats.metric import Metric
from voxbench.stats.ranking import League, league

TIES = (
    "An arm's place is 1 + the arms that are better than it: the interval of the difference, over "
    "patients and runs, excludes 0 and is not inside the margin, and Holm's p is below 0.05. Arms "
    "that share a letter are tied."
)


class Standing(NamedTuple):
    """The rank of an arm among those of its task and fraction, with a 95% interval."""

    place: int
    tied: str
    rank: float
    rank_low: float
    rank_high: float
    note: str


def standings(
    groups: Iterable[Group], metric: Metric, margin: float
) -> dict[tuple[Where, str], Standing]:
    """Rank the arms of every place that has at least two; smoke runs are in none."""
    places: dict[Where, list[Group]] = defaultdict(list)
    for group in groups:
        if group.runs and not group.smoke:
            places[group.where].append(group)
    found = {}
    for where, members in places.items():
        for board in boards(members, metric):
            if not board.tasks:
                continue
            made = _league(board, margin)
            note = "; ".join(made.board.left_out)
            for row in made.rows:
                found[where, row.arm] = Standing(
                    row.place, row.group, row.rank, row.rank_low, row.rank_high, note
                )
    return found


def _league(board: Board, margin: float) -> League:
    try:
        settled = settle(board, "complete")
    except SpecError:  # no run that all arms have
        settled = board
    return league(settled, margin, ties="verdict")


def shared_tasks(groups: Sequence[Group], metric: Metric, margin: float) -> list[League]:
    """Rank arms over several tasks: for every set of them that some arm ran, all that ran it."""
    scopes: dict[Scope, dict[str, list[Group]]] = defaultdict(lambda: defaultdict(list))
    for group in groups:
        if group.runs and not group.smoke:
            scope = Scope(group.where.adaptation, group.where.fraction)
            scopes[scope][group.arm].append(group)
    found = []
    for arms in scopes.values():
        places = {arm: frozenset(map(_place, own)) for arm, own in arms.items()}
        for shared in sorted(set(places.values()), key=sorted):
            members = [
                group
                for arm, own in arms.items()
                if places[arm] >= shared
                for group in own
                if _place(group) in shared
            ]
            if len({task for task, _ in shared}) > 1:
                found += [_league(board, margin) for board in boards(members, metric)]
    return found


def _place(group: Group) -> tuple[str, str]:
    return group.where.task, group.where.setting


def shared_table(leagues: Sequence[League], metric: Metric) -> Table:
    """The ranks over several tasks."""
    rows: list[dict[str, Any]] = [
        {**made.board.scope._asdict(), "on": ", ".join(made.board.tasks), **asdict(row)}
        for made in leagues
        for row in made.rows
    ]
    return Table(
        f"shared-tasks-{metric.key}",
        "Over several tasks",
        f"Mean {metric.label} over tasks, for the arms that ran on all of them with one recipe; "
        f"tasks, patients and runs are resampled. {TIES}",
        [
            Column("fraction", ("fraction",)),
            Column("tasks", ("on",)),
            Column("place", ("place",), str, True),
            Column("arm", ("arm",)),
            Column("tied", ("group",)),
            Column(metric.label, ("mean", "low", "high"), interval(metric.digits), True),
            Column("rank [95%]", ("rank", "rank_low", "rank_high"), interval(1), True),
            Column("patients", ("patients",), str, True),
        ],
        rows,
    )
