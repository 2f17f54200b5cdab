"""All arms of a result folder against each other, wherever they can be ranked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Group
from voxbench.analyses.more_steps import judged_by_longer
from voxbench.analyses.ranks.board import Board, Policy, apply_policy, boards, patient_means
from voxbench.analyses.ranks.league import League, league
from voxbench.analyses.ranks.sensitivity import Variant, sensitivity
from voxbench.analyses.ranks.tables import class_table, pair_table, rank_table, sensitivity_table
from voxbench.analyses.read import read_groups, records_in
from voxbench.analyses.settings import by_recipe
from voxbench.analyses.table import Table, p_value
from voxbench.errors import RecordError, SpecError
from voxbench.records import Facts
from voxbench.stats.friedman import Friedman, friedman
from voxbench.stats.metric import find_metric
from voxbench.stats.paired import APART
from voxbench.stats.ranks import Aggregation
from voxbench.threads import one_blas_thread


class Ranking(NamedTuple):
    """What is known of the arms of one recipe, adaptation and fraction.

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
    """Every ranking of a folder, and why others could not be made."""

    made: list[Ranking]
    left_out: list[str]


@one_blas_thread()  # the cores have classes to rank
def rank_folder(
    store_dir: Path,
    metric: str = "dice",
    margin: float | None = None,
    how: Aggregation = "tasks",
    policy: Policy = "complete",
) -> Rankings:
    """Rank the arms of every recipe, adaptation and fraction with at least two of them.

    Args:
        store_dir: the output folder of a run or an import.
        metric: a key of `stats.metric.ALL`.
        margin: of practical equivalence; None takes the metric's own.
        how: tasks, patients or borda.
        policy: for missing trainings: complete, available or worst.

    Raises:
        RecordError: there is no record, or nowhere two arms.
        SpecError: metric, aggregation or policy is unknown, or the policy leaves nothing anywhere.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    every = records_in(store_dir)
    known, recipes = read_groups(every), by_recipe(every)
    made: list[Ranking] = []
    left_out: list[tuple[str, SpecError]] = []
    for recipe, records in recipes.items():
        whole = len(recipes) == 1
        groups = known if whole else judged_by_longer(read_groups(records), known)
        for board in boards(groups, chosen):
            try:
                found = _ranking(groups, board, margin, how, policy)
            except SpecError as error:
                left_out.append((_sweeps(records), error))
                continue
            made.append(found if whole else _told_apart(found, recipe, records))
    if not made and left_out:
        raise left_out[0][1]
    if not made:
        raise RecordError(f"{store_dir}: nowhere two arms at one fraction; run or import another.")
    return Rankings(made, [f"{sweeps}: {error}" for sweeps, error in left_out])


def _sweeps(records: Sequence[Facts]) -> str:
    return ", ".join(sorted({record.sweep for record in records}))


def _told_apart(ranking: Ranking, recipe: str, records: Sequence[Facts]) -> Ranking:
    """With its recipe in the names of its tables, and the sweeps that ran it in their captions."""
    told = [
        table._replace(
            name=f"{table.name}-{recipe}", caption=f"{_sweeps(records)}. {table.caption}"
        )
        for table in ranking.tables
    ]
    return ranking._replace(tables=told, recipe=recipe)


def _ranking(
    groups: Sequence[Group],
    board: Board,
    margin: float,
    how: Aggregation,
    policy: Policy,
) -> Ranking:
    ranked = apply_policy(board, policy)
    found = league(ranked, margin, how)
    means = np.concatenate([patient_means(sample) for sample in ranked.samples])
    test = friedman(means[~np.isnan(means).all(axis=1)], board.metric.sign)
    variants = sensitivity(groups, board)
    made = [
        rank_table(found, how, policy),
        pair_table(found, margin),
        class_table(groups, ranked, margin, policy),
        sensitivity_table(ranked, variants),
    ]
    return Ranking(found, test, made, list(_sentences(found, test, variants)))


def _sentences(found: League, test: Friedman | None, variants: Sequence[Variant]) -> Iterator[str]:
    apart = [pair for pair in found.pairs if pair.verdict in APART]
    yield (
        f"{len(apart)} of {len(found.pairs)} pairs are separated, by intervals of the mean "
        "difference that hold for all pairs at once."
    )
    leaders = [row.arm for row in found.rows if row.place == 1]
    yield f"First, or tied with it: {', '.join(leaders)}."
    if test:
        left = f" ({test.left_out} with a gap left out)" if test.left_out else ""
        p = p_value(test.p) if test.p < 0.001 else f"= {p_value(test.p)}"
        yield (
            f"Friedman over {test.blocks} patients{left}: p {p}; mean ranks differ from "
            f"{test.critical:.2f} on (Nemenyi, 5%)."
        )
    made = [variant for variant in variants if variant.leader]
    same = sum(set(variant.leader) == set(made[0].leader) for variant in made)
    yield f"{same} of {len(made)} ways to rank have the same leader."
    yield found.board.accounts
