"""The leagues of a report: within each task, and over the tasks that arms share.

Smoke runs are in none.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress

from voxbench.analyses.groups import Group, Scope, Where
from voxbench.analyses.ranks.board import Board, apply_policy, boards
from voxbench.analyses.ranks.league import League, league
from voxbench.errors import SpecError
from voxbench.stats.metric import Metric


def task_leagues(groups: Iterable[Group], metric: Metric, margin: float) -> dict[Where, League]:
    """The arms of every task, fraction and setting that has at least two."""
    members: dict[Where, list[Group]] = defaultdict(list)
    for group in _ranked(groups):
        members[group.where].append(group)
    return {
        where: _league(board, margin)
        for where, own in members.items()
        for board in boards(own, metric)
        if board.scores
    }


def shared_leagues(groups: Iterable[Group], metric: Metric, margin: float) -> list[League]:
    """For every set of several tasks that some arm ran with one recipe, all arms that ran it."""
    scopes: dict[tuple[Scope, str], dict[str, list[Group]]] = defaultdict(lambda: defaultdict(list))
    for group in _ranked(groups):
        scopes[group.where.scope, group.recipe][group.arm].append(group)
    found = []
    for arms in scopes.values():
        ran = {arm: frozenset(map(_task, own)) for arm, own in arms.items()}
        for shared in sorted(set(ran.values()), key=sorted):
            members = [
                group
                for arm, own in arms.items()
                if ran[arm] >= shared
                for group in own
                if _task(group) in shared
            ]
            if len({task for task, _ in shared}) > 1:
                found += [_league(board, margin) for board in boards(members, metric)]
    return found


def _ranked(groups: Iterable[Group]) -> Sequence[Group]:
    return [group for group in groups if group.runs and not group.smoke]


def _task(group: Group) -> tuple[str, str]:
    return group.where.task, group.where.setting


def _league(board: Board, margin: float) -> League:
    """On what all arms have, else on what each has."""
    with suppress(SpecError):  # no run that all arms have
        board = apply_policy(board, "complete")
    return league(board, margin)
