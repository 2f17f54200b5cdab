"""All arms of a result folder against each other: ranks, ties, pairs, classes, sensitivity."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.errors import RecordError, SpecError
from bench.record import Record
from bench.report import tables
from bench.report.critical import draw
from bench.report.read import records_in
from bench.report.rows import titled
from bench.report.tables import Column, Table, interval, number, p_value
from bench.stats.aggregate import AGGREGATIONS, Aggregation
from bench.stats.board import POLICIES, Board, Policy, boards, patient_means, settle
from bench.stats.classes import class_groups, class_names
from bench.stats.frame import Group, read_groups
from bench.stats.friedman import Friedman, friedman
from bench.stats.metric import find_metric
from bench.stats.naming import by_recipe
from bench.stats.ranking import League, league
from bench.stats.sensitivity import Variant, sensitivity


class Ranking(NamedTuple):
    """What is known of the arms of one scope (adaptation and fraction).

    Attributes:
        league: ranks and pairs; friedman: None with two arms.
        tables: of ranks, pairs, classes and sensitivity.
        sentences: what was found and what was left out.
        recipe: its digest, where the folder holds several.
    """

    league: League
    friedman: Friedman | None
    tables: list[Table]
    sentences: list[str]
    recipe: str = ""


class Rankings(NamedTuple):
    """Every scope that could be ranked.

    Attributes:
        places: one a recipe, adaptation and fraction.
        left_out: why the others could not.
    """

    places: list[Ranking]
    left_out: list[str]


def rank(
    store_dir: Path,
    metric: str = "dice",
    margin: float | None = None,
    how: Aggregation = "tasks",
    policy: Policy = "complete",
) -> Rankings:
    """Rank the arms of every recipe, adaptation and fraction with at least two of them.

    Args:
        store_dir: the output folder of a run or an import.
        metric: dice, nsd or hd95_mm.
        margin: of practical equivalence; None takes the metric's own.
        how: tasks, patients or borda.
        policy: for missing trainings: complete, available or worst.

    Raises:
        RecordError: there is no record, or nowhere two arms.
        SpecError: metric, aggregation or policy is unknown, or the policy leaves nothing anywhere.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    recipes = by_recipe(records_in(store_dir))
    places, left_out = [], []
    for recipe, records in recipes.items():
        groups = read_groups(records)
        for board in boards(groups, chosen):
            try:
                made = _ranking(records, groups, board, margin, how, policy)
            except SpecError as error:
                left_out.append(f"{_sweeps(records)}: {error}")
                continue
            places.append(_told_apart(made, recipe, records) if len(recipes) > 1 else made)
    if not places and left_out:
        raise SpecError(left_out[0])
    if not places:
        raise RecordError(f"{store_dir}: nowhere two arms at one fraction; run or import another.")
    return Rankings(places, left_out)


def _sweeps(records: Sequence[Record]) -> str:
    return ", ".join(sorted({record.sweep for record in records}))


def _told_apart(ranking: Ranking, recipe: str, records: Sequence[Record]) -> Ranking:
    """With its recipe in the names of its tables, and the sweeps that ran it in their captions."""
    told = [
        table._replace(
            name=f"{table.name}-{recipe}", caption=f"{_sweeps(records)}. {table.caption}"
        )
        for table in ranking.tables
    ]
    return ranking._replace(tables=told, recipe=recipe)


def write(rankings: Sequence[Ranking], folder: Path) -> list[Path]:
    """Tables as Markdown, CSV and LaTeX, and the diagrams of critical differences."""
    files = []
    for place in rankings:
        for table in place.tables:
            files += tables.write(table, folder / "tables")
        if place.friedman:
            name = "-".join(filter(None, ["critical", _name(place.league.board), place.recipe]))
            files += draw(place.friedman, place.league.board.arms, folder / "figures" / name)
    return files


def _ranking(
    records: Sequence[Record],
    groups: Sequence[Group],
    board: Board,
    margin: float,
    how: Aggregation,
    policy: Policy,
) -> Ranking:
    settled = settle(board, policy)
    found = league(settled, margin, how)
    means = np.concatenate([patient_means(sample) for sample in settled.samples])
    test = friedman(means[~np.isnan(means).all(axis=1)], board.metric.sign)
    variants = sensitivity(groups, board)
    made = [
        _rank_table(found, how, policy),
        _pair_table(found, margin),
        _class_table(records, settled, margin, policy),
        _sensitivity_table(settled, variants),
    ]
    return Ranking(found, test, made, list(_sentences(found, test, variants)))


def _sentences(found: League, test: Friedman | None, variants: Sequence[Variant]) -> Iterator[str]:
    apart = [pair for pair in found.pairs if pair.separated]
    yield (
        f"{len(apart)} of {len(found.pairs)} pairs are separated by Wilcoxon's signed-rank test "
        "with Holm's correction over all pairs."
    )
    leaders = [row.arm for row in found.rows if row.place == 1]
    yield f"First, or tied with it: {', '.join(leaders)}."
    if test:
        left = f" ({test.left_out} with a gap left out)" if test.left_out else ""
        yield (
            f"Friedman over {test.blocks} patients{left}: p {_shown(test.p)}; mean ranks differ "
            f"from {test.critical:.2f} on (Nemenyi, 5%)."
        )
    made = [variant for variant in variants if variant.leader]
    same = sum(set(variant.leader) == set(made[0].leader) for variant in made)
    yield f"{same} of {len(made)} ways to rank have the same leader."
    yield found.board.accounts


def _shown(p: float) -> str:
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def _name(board: Board) -> str:
    scope = board.scope
    parts = [scope.fraction, *([scope.adaptation] if scope.adaptation != "full" else [])]
    safe = "-".join(parts).replace("%", "pc").replace(" ", "-")
    return f"{''.join(c for c in safe if c.isalnum() or c in '.-')}-{board.metric.key}"


def _place(board: Board) -> str:
    adapted = "" if board.scope.adaptation == "full" else f", {board.scope.adaptation}"
    return f"{titled(board.metric)} at {board.scope.fraction}{adapted}"


def _rank_table(found: League, how: Aggregation, policy: Policy) -> Table:
    digits = found.board.metric.digits
    return Table(
        f"rank-{_name(found.board)}",
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


def _pair_table(found: League, margin: float) -> Table:
    digits = found.board.metric.digits
    return Table(
        f"pairs-{_name(found.board)}",
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
            Column("verdict", ("verdict",), lambda word: word or tables.DASH),
        ],
        [asdict(pair) for pair in found.pairs],
    )


def _class_table(records: Sequence[Record], board: Board, margin: float, policy: Policy) -> Table:
    digits = board.metric.digits
    return Table(
        f"classes-{_name(board)}",
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


def _sensitivity_table(board: Board, variants: Sequence[Variant]) -> Table:
    ranks = [Column(arm, (arm,), number(1), True) for arm in board.arms]
    return Table(
        f"sensitivity-{_name(board)}",
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
