"""Two arms of a result folder against each other, pair by pair or in one model."""

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voxbench.analyses.effect_tables import comparison_table
from voxbench.analyses.effects import effects
from voxbench.analyses.groups import Scope, find_arms
from voxbench.analyses.pairing import Pair, pair_arms, pair_each
from voxbench.analyses.read import by_arm, groups_of, of_arms, records_in
from voxbench.analyses.settings import setting_words, with_recipes
from voxbench.analyses.table import (
    Column,
    Table,
    interval_column,
    number,
    p_value,
    plain_columns,
)
from voxbench.errors import RecordError
from voxbench.stats.arrays import nanmean
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.mixed import fit_mixed


def compare_arms(
    folder: Path, arm_a: str, arm_b: str, metric: str = "dice", margin: float | None = None
) -> Table:
    """The paired difference A − B for each task and fraction where both have a record.

    Args:
        folder: the output folder of a run.
        arm_a: one arm or several, as `find_arms` finds them.
        arm_b: the other, or others.
        metric: a key of `stats.metric.ALL`.
        margin: of practical equivalence; None takes the metric's own.

    Raises:
        SpecError: an arm or the metric is unknown.
        RecordError: there is no record, or the arms share no task and fraction.
    """
    chosen = find_metric(metric)
    members = by_arm(records_in(folder))
    groups = groups_of(of_arms(members, (arm_a, arm_b)))
    labels = [group.arm for group in groups]
    pairs = pair_each(groups, find_arms(labels, arm_a), find_arms(labels, arm_b), chosen)
    if not pairs:
        raise _nothing_shared(folder, arm_a, arm_b)
    margin = chosen.margin if margin is None else margin
    table = comparison_table(effects(pairs, margin), chosen, margin)
    return with_recipes(table, setting_words(members))


def compare_mixed(folder: Path, arm_a: str, arm_b: str, metric: str = "dice") -> Table:
    """A − B at each fraction over all tasks, by a linear mixed-effects model.

    Tasks, runs and patients that one arm lacks are left out.

    Raises:
        SpecError: an arm is unknown or ambiguous, the metric is unknown, or statsmodels is not
            installed.
        RecordError: there is no record, or the arms share no task and fraction.
    """
    chosen = find_metric(metric)
    scopes: dict[Scope, list[Pair]] = defaultdict(list)
    groups = groups_of(of_arms(by_arm(records_in(folder)), (arm_a, arm_b)))
    for pair in pair_arms(groups, arm_a, arm_b, chosen):
        if pair.difference().values.size:
            scopes[pair.arm.where.scope].append(pair)
    if not scopes:
        raise _nothing_shared(folder, arm_a, arm_b)
    return _mixed_table([_mixed_row(scope, pairs) for scope, pairs in scopes.items()], chosen)


def _nothing_shared(folder: Path, a: str, b: str) -> RecordError:
    return RecordError(
        f"{folder}: {a} and {b} have no task, fraction, recipe and data in common; run the "
        "missing cells."
    )


def _mixed_row(scope: Scope, pairs: list[Pair]) -> dict[str, Any]:
    samples = [pair.samples() for pair in pairs]
    fit = fit_mixed([(nanmean(a.values, axis=1), nanmean(b.values, axis=1)) for a, b in samples])
    return {
        **scope.told,
        "arm": pairs[0].arm.arm,
        "other": pairs[0].name,
        "tasks": len(pairs),
        **asdict(fit),
        "warnings": "; ".join(fit.warnings),
    }


def _mixed_table(rows: list[dict[str, Any]], metric: Metric) -> Table:
    digits = metric.digits
    return Table(
        f"mixed-{metric.key}",
        "Mixed model",
        f"{metric.label} of A = {rows[0]['arm']} and B = {rows[0]['other']}: score ~ arm + "
        "(1 | task) + (1 | task:patient), REML, Wald's 95% interval; seeds and draws are averaged "
        "before, so that their luck is in no interval. The model takes scores for normal: with a "
        "warning read the bootstrap.",
        [
            *plain_columns("fraction", "adaptation"),
            *plain_columns("tasks", "scores", number=True),
            Column("left out", ("left_out",), str, True),
            interval_column("A − B [95%]", "effect", digits, signed=True),
            Column("p", show=p_value, number=True),
            Column("sd task", ("deviation_task",), number(digits), True),
            Column("sd patient", ("deviation_patient",), number(digits), True),
            Column("sd rest", ("deviation_rest",), number(digits), True),
            Column("warnings"),
        ],
        rows,
    )
