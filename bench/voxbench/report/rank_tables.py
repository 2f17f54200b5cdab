"""Which columns the tables of a ranking have: ranks, pairs, classes and sensitivity."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from voxbench.analyses.table import DASH, Column, Table, interval, number, p_value
from voxbench.records import Record
from voxbench.stats.aggregate import AGGREGATIONS, Aggregation
from voxbench.stats.board import POLICIES, Board, Policy, boards, settle
from voxbench.stats.classes import class_groups, class_names
from voxbench.stats.ranking import League, league
from voxbench.stats.sensitivity import Variant


def board_name(board: Board) -> str:
    """Fraction, adaptation and metric of a board as the end of a file name."""
    scope = board.scope
    parts = [scope.fraction, *([scope.adaptation] if scope.adaptation != "full" else [])]
    safe = "-".join(parts).replace("%", "pc").replace(" ", "-")
    return f"{''.join(c for c in safe if c.isalnum() or c in '.-')}-{board.metric.key}"


def _place(board: Board) -> str:
    adapted = "" if board.scope.adaptation == "full" else f", {board.scope.adaptation}"
    return f"{board.metric.label} at {board.scope.fraction}{adapted}"


def rank_table(found: League, how: Aggregation, policy: Policy) -> Table:
    """Arms by place, with their means and the intervals of both."""
    digits = found.board.metric.digits
    return Table(
        f"rank-{board_name(found.board)}",
        "Ranks",
        f"Ranks by {_place(found.board)} on {', '.join(found.board.tasks)}: "
        f"{AGGREGATIONS[how]}; {POLICIES[policy]}. Arms of one place are tied: no test separates "
        "them from those above. Arms that share a letter are not separated from each other. "
        f"{found.board.accounts}",
        [
            Column("place", ("place",), str, True),
            Column("arm", ("arm",)),
            Column("tied", ("group",)),
            Column("tasks", ("tasks",), str, True),
            Column("patients", ("patients",), str, True),
            Column("mean [95%]", ("mean", "low", "high"), interval(digits), True),
            Column("IQM [95%]", ("iqm", "iqm_low", "iqm_high"), interval(digits), True),
            Column("rank [95%]", ("rank", "rank_low", "rank_high"), interval(1), True),
            Column("first", ("first",), number(2), True),
        ],
        [asdict(row) for row in found.rows],
    )


def pair_table(found: League, margin: float) -> Table:
    """Every two arms against each other."""
    digits = found.board.metric.digits
    return Table(
        f"pairs-{board_name(found.board)}",
        "Pairs",
        f"All pairs by {_place(found.board)}: paired by patient, 95% bootstrap interval, Wilcoxon "
        f"signed-rank, Holm and Benjamini–Hochberg over {len(found.pairs)} pairs, sign-flip "
        f"permutation; equivalent within ±{margin:g}. {found.board.accounts}",
        [
            Column("A", ("arm",)),
            Column("B", ("other",)),
            Column("patients", ("patients",), str, True),
            Column("A − B [95%]", ("effect", "low", "high"), interval(digits, signed=True), True),
            Column("p", ("p",), p_value, True),
            Column("sign-flip p", ("p_flip",), p_value, True),
            Column("Holm p", ("p_holm",), p_value, True),
            Column("BH p", ("p_bh",), p_value, True),
            Column("separated", ("separated",), lambda apart: "yes" if apart else "no"),
            Column("verdict", ("verdict",), lambda word: word or DASH),
        ],
        [asdict(pair) for pair in found.pairs],
    )


def class_table(records: Sequence[Record], board: Board, margin: float, policy: Policy) -> Table:
    """The ranks of each class of each task alone."""
    digits = board.metric.digits
    return Table(
        f"classes-{board_name(board)}",
        "Classes",
        f"Each class by {_place(board)}; Holm over the pairs of a class. Patients without a score "
        "in every arm are left out of all.",
        [
            Column("task", ("task",)),
            Column("class", ("class",)),
            Column("place", ("place",), str, True),
            Column("arm", ("arm",)),
            Column("tied", ("group",)),
            Column("patients", ("patients",), str, True),
            Column("mean [95%]", ("mean", "low", "high"), interval(digits), True),
            Column("IQM [95%]", ("iqm", "iqm_low", "iqm_high"), interval(digits), True),
            Column("undefined", ("undefined",), str, True),
        ],
        list(_class_rows(records, board, margin, policy)),
    )


def _class_rows(
    records: Sequence[Record], board: Board, margin: float, policy: Policy
) -> Iterator[dict[str, Any]]:
    for task in dict.fromkeys(name.partition(" (")[0] for name in board.tasks):
        for name in class_names(records, task):
            groups = class_groups(records, task, name)
            undefined = {
                group.arm: group.undefined[board.metric.key]
                for group in groups
                if (group.where.adaptation, group.where.fraction) == board.scope
            }
            for own in boards(groups, board.metric):
                if own.scope == board.scope and _comparable(own):
                    for row in league(settle(own, policy), margin).rows:
                        own_row = {"task": task, "class": name, **asdict(row)}
                        yield own_row | {"undefined": undefined[row.arm]}


def _comparable(board: Board) -> bool:
    """Whether a patient has the class in every arm."""
    return any(
        bool((~np.isnan(sample.values)).any(axis=2).all(axis=0).any()) for sample in board.samples
    )


def sensitivity_table(board: Board, variants: Sequence[Variant]) -> Table:
    """The ranks by every other metric, aggregation and policy."""
    ranks = [Column(arm, (arm,), number(1), True) for arm in board.arms]
    return Table(
        f"sensitivity-{board_name(board)}",
        "Sensitivity",
        f"Ranks at {board.scope.fraction} by metric, aggregation and policy for missing trainings; "
        "τ is Kendall's with the first row.",
        [
            Column("metric", ("metric",)),
            Column("aggregation", ("aggregation",)),
            Column("missing", ("policy",)),
            *ranks,
            Column("τ", ("tau",), number(2), True),
            Column("note", ("note",)),
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
