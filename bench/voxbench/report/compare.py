"""Two arms of a result folder against each other, pair by pair or in one model."""

from dataclasses import asdict
from pathlib import Path

from voxbench.analyses.effect_tables import comparison_table
from voxbench.analyses.effects import between, effects
from voxbench.analyses.groups import Group, find_arm, groups_in
from voxbench.analyses.ranks.board import apply_policy, boards
from voxbench.analyses.table import Column, Table, interval, number, p_value
from voxbench.errors import RecordError
from voxbench.stats.metric import find_metric
from voxbench.stats.mixed import mixed


def compare(
    store_dir: Path, arm_a: str, arm_b: str, metric: str = "dice", margin: float | None = None
) -> Table:
    """The paired difference A − B for each task and fraction where both have a record.

    Args:
        store_dir: the output folder of a run.
        arm_a: an arm's label, or a beginning that only one label has.
        arm_b: the other's.
        metric: dice, nsd or hd95_mm.
        margin: of practical equivalence; None takes the metric's own.

    Raises:
        SpecError: an arm is unknown or ambiguous, or the metric is unknown.
        RecordError: there is no record, or the arms share no task and fraction.
    """
    chosen = find_metric(metric)
    groups, a, b = _both(store_dir, arm_a, arm_b)
    pairs = between(groups, a, b, chosen)
    if not pairs:
        raise _nothing_shared(store_dir, a, b)
    margin = chosen.margin if margin is None else margin
    return comparison_table(effects(pairs, margin), chosen, margin)


def compare_mixed(store_dir: Path, arm_a: str, arm_b: str, metric: str = "dice") -> Table:
    """A − B at each fraction over all tasks, by a linear mixed-effects model.

    Tasks, runs and patients that one arm lacks are left out.

    Raises:
        SpecError: an arm or the metric is unknown, or statsmodels is not installed.
        RecordError: there is no record, or the arms share no task and fraction.
    """
    chosen = find_metric(metric)
    groups, a, b = _both(store_dir, arm_a, arm_b)
    shared = {pair.arm.where for pair in between(groups, a, b, chosen) if pair.arm.runs}
    found = boards([g for g in groups if g.arm in (a, b) and g.where in shared], chosen)
    rows = []
    for board in map(apply_policy, found):
        fit = mixed(board, b)
        effect, low, high = fit.effects[a]
        rows.append({
            **board.scope._asdict(), "arm": a, "other": b, "tasks": len(board.tasks),
            "effect": effect, "low": low, "high": high, "p": fit.p[a],
            **{key: value for key, value in asdict(fit).items() if key.startswith("deviation")},
            "scores": fit.scores, "left_out": fit.left_out, "warnings": "; ".join(fit.warnings),
        })  # fmt: skip
    if not rows:
        raise _nothing_shared(store_dir, a, b)
    digits = chosen.digits
    return Table(
        f"mixed-{chosen.key}",
        "Mixed model",
        f"{chosen.label} of A = {a} and B = {b}: score ~ arm + (1 | task) + (1 | task:patient), "
        "REML, Wald's 95% interval; seeds and draws are averaged before, so that their luck is in "
        "no interval. The model takes scores for normal: with a warning read the bootstrap.",
        [
            Column("fraction"),
            Column("adaptation"),
            Column("tasks", number=True),
            Column("scores", number=True),
            Column("left out", ("left_out",), str, True),
            Column("A − B [95%]", ("effect", "low", "high"), interval(digits, True), True),
            Column("p", show=p_value, number=True),
            Column("sd task", ("deviation_task",), number(digits), True),
            Column("sd patient", ("deviation_patient",), number(digits), True),
            Column("sd rest", ("deviation_rest",), number(digits), True),
            Column("warnings"),
        ],
        rows,
    )


def _both(store_dir: Path, arm_a: str, arm_b: str) -> tuple[list[Group], str, str]:
    groups = groups_in(store_dir)
    return groups, find_arm(groups, arm_a), find_arm(groups, arm_b)


def _nothing_shared(store_dir: Path, a: str, b: str) -> RecordError:
    return RecordError(
        f"{store_dir}: {a} and {b} have no task, fraction, recipe and data in common; run the "
        "missing cells."
    )
