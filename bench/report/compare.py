"""Two arms of a result folder against each other."""

from pathlib import Path

from bench.errors import RecordError
from bench.report.read import groups_in
from bench.report.rows import comparison_table
from bench.report.tables import Table
from bench.stats.effects import between, effects
from bench.stats.frame import find_arm
from bench.stats.metric import find_metric


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
    groups = groups_in(store_dir)
    a, b = find_arm(groups, arm_a), find_arm(groups, arm_b)
    pairs = between(groups, a, b, chosen)
    if not pairs:
        raise RecordError(
            f"{store_dir}: {a} and {b} have no task, fraction, recipe and data in common; run the "
            "missing cells."
        )
    margin = chosen.margin if margin is None else margin
    return comparison_table(effects(pairs, margin), chosen, margin)
