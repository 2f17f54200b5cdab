"""Which columns the tables of a ranking have: ranks, pairs, classes and sensitivity."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from voxbench.analyses.classes import class_groups
from voxbench.analyses.groups import Group
from voxbench.analyses.ranks.board import POLICIES, Board, Policy, apply_policy, boards
from voxbench.analyses.ranks.league import TIES, League, league
from voxbench.analyses.ranks.sensitivity import Variant
from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    interval_column,
    number,
    or_dash,
    p_value,
    plain_columns,
)
from voxbench.cores import available_cores
from voxbench.stats.interval import FEWEST_TASKS
from voxbench.stats.metric import Metric
from voxbench.stats.ranks import AGGREGATIONS, Aggregation
from voxbench.threads import threads


def board_stem(board: Board) -> str:
    """Fraction, adaptation and metric of a board as the end of a file name."""
    scope = board.scope
    parts = "-".join(filter(None, (scope.fraction, scope.adapted, scope.test)))
    safe = parts.replace("%", "pc").replace(" ", "-")
    return f"{''.join(c for c in safe if c.isalnum() or c in '.-')}-{board.metric.key}"


def _scope(board: Board) -> str:
    adapted = f", {board.scope.adapted}" if board.scope.adapted else ""
    test = f", on {board.scope.test}" if board.scope.test else ""
    return f"{board.metric.label} at {board.scope.fraction}{adapted}{test}"


def rank_table(found: League, how: Aggregation, policy: Policy) -> Table:
    """Arms by place, with their means and the intervals of both."""
    digits = found.board.metric.digits
    return Table(
        f"rank-{board_stem(found.board)}",
        "Ranks",
        f"Ranks by {_scope(found.board)} on {', '.join(found.board.tasks)}: "
        f"{AGGREGATIONS[how]}; {POLICIES[policy]}. {TIES} {found.board.accounts}",
        [
            Column("place", number=True),
            Column("arm"),
            Column("tied", ("group",)),
            *plain_columns("tasks", "patients", number=True),
            interval_column("mean [95%]", "mean", digits),
            interval_column("IQM [95%]", "iqm", digits),
            interval_column("rank [95%]", "rank", 1),
            Column("first", show=number(2), number=True),
            *([interval_column("false alarms [95%]", "alarms", 3)] if found.board.alarms else []),
            Column("note"),
        ],
        [as_row(row) for row in found.rows],
    )


def pair_table(found: League, margin: float) -> Table:
    """Every two arms against each other."""
    digits = found.board.metric.digits
    return Table(
        f"pairs-{board_stem(found.board)}",
        "Pairs",
        f"All pairs by {_scope(found.board)}, paired by patient. The verdict is that of the first "
        f"interval, which holds for all {len(found.pairs)} pairs at once (Bonferroni); equivalent "
        f"within ±{margin:g}; a head start, or behind, where the arm that lies behind has not "
        "converged. What seeds vary is moderated among the arms (Smyth 2004). Alone is a pair's "
        "own interval, p its test, adjusted p that of all. "
        "Wilcoxon's signed-rank and the sign-flip p know patients only and decide nothing. "
        f"{found.board.accounts}",
        [
            Column("A", ("arm",)),
            Column("B", ("other",)),
            Column("patients", number=True),
            interval_column("A − B [95%, all pairs]", "effect", digits, signed=True),
            interval_column("alone [95%]", "alone", digits, signed=True),
            Column("p", show=p_value, number=True),
            Column("adjusted p", ("p_adjusted",), p_value, True),
            Column("BH p", ("p_bh",), p_value, True),
            Column("p covers", ("covers",)),
            Column("Wilcoxon p (patients only)", ("p_patients",), p_value, True),
            Column("sign-flip p (patients only)", ("p_flip",), p_value, True),
            Column("verdict", show=or_dash),
            *(_alarms() if found.board.alarms else []),
        ],
        [as_row(pair) for pair in found.pairs],
    )


def _alarms() -> list[Column]:
    return [
        interval_column("false alarms, A − B [95%, all pairs]", "alarms", 3, signed=True),
        Column("false alarms", ("alarms_verdict",), or_dash),
    ]


def class_table(groups: Sequence[Group], board: Board, margin: float, policy: Policy) -> Table:
    """The ranks of each class of each task alone."""
    digits = board.metric.digits
    return Table(
        f"classes-{board_stem(board)}",
        "Classes",
        f"Each class by {_scope(board)}; intervals hold at once for the pairs of one class. "
        "Patients without a score in every arm are left out of all.",
        [
            *plain_columns("task", "class"),
            Column("place", number=True),
            Column("arm"),
            Column("tied", ("group",)),
            Column("patients", number=True),
            interval_column("mean [95%]", "mean", digits),
            interval_column("IQM [95%]", "iqm", digits),
            Column("undefined", number=True),
            Column("note"),
        ],
        list(_class_rows(groups, board, margin, policy)),
    )


def _class_rows(
    groups: Sequence[Group], board: Board, margin: float, policy: Policy
) -> Iterator[dict[str, Any]]:
    with threads(available_cores()) as pool:  # resampling releases the interpreter lock
        ranked = [
            (own, pool.submit(lambda of: league(apply_policy(of, policy), margin).rows, own.board))
            for own in _class_boards(groups, board)
        ]
        for own, rows in ranked:
            for row in rows.result():
                told = {"task": own.task, "class": own.name, **as_row(row)}
                yield told | {"undefined": own.undefined[row.arm]}


class _ClassBoard(NamedTuple):
    task: str
    name: str
    undefined: dict[str, int]
    board: Board


def _class_boards(groups: Sequence[Group], board: Board) -> Iterator[_ClassBoard]:
    for task in dict.fromkeys(name.partition(" (")[0] for name in board.tasks):
        for name, alone in class_groups(groups, task):
            undefined = {
                group.arm: group.undefined[board.metric.key]
                for group in alone
                if group.where.scope == board.scope
            }
            for own in boards(alone, board.metric):
                if own.scope == board.scope and _comparable(own):
                    yield _ClassBoard(task, name, undefined, own)


def _comparable(board: Board) -> bool:
    """Whether a patient has the class in every arm."""
    return any(
        bool((~np.isnan(sample.values)).any(axis=2).all(axis=0).any()) for sample in board.samples
    )


def sensitivity_table(board: Board, variants: Sequence[Variant]) -> Table:
    """The ranks by every other metric, aggregation and policy."""
    ranks = [Column(arm, (arm,), number(1), True) for arm in board.arms]
    return Table(
        f"sensitivity-{board_stem(board)}",
        "Sensitivity",
        f"Ranks at {board.scope.fraction} by metric, aggregation and policy for missing trainings; "
        "τ is Kendall's with the first row.",
        [
            *plain_columns("metric", "aggregation"),
            Column("missing", ("policy",)),
            *ranks,
            Column("τ", ("tau",), number(2), True),
            Column("note"),
        ],
        [
            {
                "metric": variant.metric, "aggregation": variant.aggregation,
                "policy": variant.policy,
                **dict(zip(board.arms, variant.ranks.tolist(), strict=True)),
                "tau": variant.tau, "note": variant.note,
            }
            for variant in variants
        ],
    )  # fmt: skip


def shared_table(leagues: Sequence[League], metric: Metric) -> Table:
    """The ranks over several tasks."""
    rows: list[dict[str, Any]] = [
        {**made.board.scope.told, "on": ", ".join(made.board.tasks), **as_row(row)}
        for made in leagues
        for row in made.rows
    ]
    return Table(
        f"shared-tasks-{metric.key}",
        "Over several tasks",
        f"Mean {metric.label} over tasks, for the arms that ran on all of them with one recipe; "
        f"intervals are Student's over tasks, and there are none below {FEWEST_TASKS}. {TIES}",
        [
            Column("fraction"),
            Column("tasks", ("on",)),
            Column("place", number=True),
            Column("arm"),
            Column("tied", ("group",)),
            interval_column(metric.label, "mean", metric.digits),
            interval_column("rank [95%]", "rank", 1),
            Column("patients", number=True),
            Column("note"),
        ],
        rows,
    )
