"""Steps as an axis: arm and twin at several times the steps, and how soon a training is good."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from voxbench.analyses.effects import Effect
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.more_steps import family
from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    interval_column,
    number,
    or_dash,
    plain_columns,
)
from voxbench.stats.metric import Metric

_SOON = 0.9  # of the final validation Dice


def steps_table(effects: Sequence[Effect], groups: Sequence[Group], metric: Metric) -> Table:
    """Arm and twin by steps, of every arm that was run with several."""
    arms = {(group.where, group.arm): group for group in groups}
    families: dict[tuple[object, ...], dict[int, Effect]] = defaultdict(dict)
    for effect in effects:
        arm = arms[effect.where, effect.arm]
        if arm.course.steps and effect.verdict:
            families[*family(arm), effect.other][arm.course.steps] = effect
    rows = [
        {"steps": steps, **as_row(found[steps])}
        for found in families.values()
        if len(found) > 1
        for steps in sorted(found)
    ]
    digits = metric.digits
    return Table(
        f"steps-{metric.key}",
        "What more steps change",
        f"Arm and scratch twin by {metric.title} at several times the steps of one recipe. A head "
        "start is what the twin makes up for. The interval is the row's own.",
        [
            *plain_columns("task", "adaptation", "fraction", "arm"),
            Column("against", ("other",)),
            Column("steps", show=number(0), number=True),
            Column("arm", ("arm_mean",), number(digits), True),
            Column("twin", ("other_mean",), number(digits), True),
            interval_column("arm − twin [95%]", "alone", digits, signed=True),
            Column("arm converged", ("converged",), or_dash),
            Column("twin converged", ("other_converged",), or_dash),
        ],
        rows,
    )


def trajectory_table(groups: Sequence[Group]) -> Table:
    """How soon the trainings of each arm are good, by the Dice of their validation cases."""
    rows = [_trajectory(group) for group in groups if group.course.validation]
    return Table(
        "trajectories",
        "How soon a training is good",
        "The step of the first validation that reaches 90% of the last one's Dice, and the seconds "
        "of training until then. Curves are means over trainings; those of older records are of "
        "patches about structures, and lie above what whole cases have. A rate that falls to 0 "
        "lifts the end: a training of fewer steps ends above this curve.",
        [
            *plain_columns("task", "adaptation", "fraction"),
            Column("recipe", ("setting",)),
            Column("arm"),
            Column("of steps", ("steps",), number(0), True),
            Column("validation", ("final",), number(3), True),
            Column("90% by step", ("soon",), number(0), True),
            Column("≈ s", ("seconds",), number(0), True),
            Column("converged", ("converged",), or_dash),
            Column("because", ("reason",), or_dash),
        ],
        rows,
    )


def _trajectory(group: Group) -> dict[str, Any]:
    curve = group.course.validation
    last = max(curve)
    soon = min(step for step, dice in curve.items() if dice >= _SOON * curve[last])
    return {
        **Where._asdict(group.where),
        "arm": group.arm,
        "steps": last,
        "final": curve[last],
        "soon": soon,
        "seconds": group.spent.fit_seconds * soon / last,
        "converged": group.convergence.word,
        "reason": group.convergence.reason,
    }
