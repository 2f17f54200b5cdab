"""The tables of effects, of means and costs, and of failed cells."""

from collections.abc import Sequence
from typing import Any

from voxbench.analyses.effects import Effect, Overall
from voxbench.analyses.groups import Group
from voxbench.analyses.means import Mean
from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    hours,
    interval_column,
    number,
    or_dash,
    p_value,
    plain_columns,
)
from voxbench.stats.interval import FEWEST_TASKS
from voxbench.stats.metric import FALSE_ALARMS, METRICS, Metric


def effect_table(effects: Sequence[Effect], metric: Metric, margin: float) -> Table:
    """Arm against twin for each task and fraction; pairings without a result stay in."""
    rows = [as_row(effect) for effect in effects]
    return Table(
        f"effects-{metric.key}",
        "Effects",
        f"Effect on {metric.label} against the scratch twin: {_method(metric, margin)}",
        [
            *where_columns(rows),
            Column("arm"),
            Column("against", ("other",)),
            *_result(rows, metric, "arm", "twin"),
            Column("contamination"),
        ],
        rows,
    )


def comparison_table(effects: Sequence[Effect], metric: Metric, margin: float) -> Table:
    """Arms against others, for each task and fraction."""
    rows = [as_row(effect) for effect in effects]
    compared = {(effect.arm, effect.other) for effect in effects}
    arm, other = effects[0].arm, effects[0].other
    what = f"A = {arm} and B = {other}" if len(compared) == 1 else "A and B"
    named = [Column("arm A", ("arm",)), Column("arm B", ("other",))] if len(compared) > 1 else []
    return Table(
        f"comparison-{metric.key}",
        "Comparison",
        f"{metric.label} of {what}: {_method(metric, margin)}",
        [*where_columns(rows), *named, *_result(rows, metric, "A", "B")],
        rows,
    )


def _method(metric: Metric, margin: float) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return (
        "paired by patient. The verdict is that of one interval of the mean, over patients and "
        "runs, bootstrapped and stretched as Student's; all rows' hold at once with 95% "
        f"(Bonferroni), equivalent within ±{margin:g}{unit}. What seeds vary is moderated among "
        "three or more arms of a task and fraction (Smyth 2004). Alone is the interval of a row by "
        "itself, p its test, adjusted p that of all rows; Wilcoxon's signed-rank p knows patients "
        "only and decides nothing. Dice, NSD and HD95 are of the structures that the reference "
        "has; false alarms are the others that are predicted. Better is called a head start, and "
        "worse behind, where the arm that lies behind has not converged. Weights count as they "
        "are: the luck of the one pre-training that made them, which all runs share, is in no "
        "interval."
    )


def _result(rows: Sequence[dict[str, Any]], metric: Metric, arm: str, other: str) -> list[Column]:
    digits = metric.digits
    return [
        *plain_columns("patients", "runs", number=True),
        Column(arm, ("arm_mean",), number(digits), True),
        Column(other, ("other_mean",), number(digits), True),
        interval_column(f"{arm} − {other} [95%, all rows]", "effect", digits, signed=True),
        interval_column("alone [95%]", "alone", digits, signed=True),
        Column("p", show=p_value, number=True),
        Column("adjusted p", ("p_adjusted",), p_value, True),
        Column("p covers", ("covers",)),
        Column("Wilcoxon p (patients only)", ("p_patients",), p_value, True),
        Column("verdict", show=or_dash),
        Column(f"{arm} converged", ("converged",), or_dash),
        Column(f"{other} converged", ("other_converged",), or_dash),
        *(_alarms(arm, other) if any(row["alarms_verdict"] for row in rows) else ()),
        Column("undefined", number=True),
        Column("failed cells", ("failed",), str, True),
        Column("note"),
    ]


def _alarms(arm: str, other: str) -> list[Column]:
    digits = FALSE_ALARMS["false_alarms"].digits
    title = f"false alarms, {arm} − {other} [95%, all rows]"
    return [
        interval_column(title, "alarms", digits, signed=True),
        Column("false alarms", ("alarms_verdict",), or_dash),
    ]


def overall_table(overall: Sequence[Overall], metric: Metric) -> Table:
    """The effect over all tasks that an arm was tried on."""
    return Table(
        f"overall-{metric.key}",
        "Effects over all tasks",
        f"Effect on {metric.label} over all tasks, each counting once: Student's interval over "
        f"tasks, and none below {FEWEST_TASKS} of them; tasks of one recipe only.",
        [
            *plain_columns("arm", "adaptation", "fraction"),
            Column("against", ("other",)),
            Column("tasks", number=True),
            interval_column("effect [95%]", "effect", metric.digits, signed=True),
            Column("note"),
        ],
        [as_row(row) for row in overall],
    )


def mean_table(means: Sequence[Mean]) -> Table:
    """Mean and interval of every metric, with what the arm cost."""
    tuning = ("tuning_cpu_hours", "tuning_gpu_hours")
    tuned = any(getattr(mean, name) for mean in means for name in tuning)
    rows = [as_row(mean, *(() if tuned else tuning)) for mean in means]
    columns = [
        *where_columns(rows),
        Column("arm"),
        Column("labelled", ("train_patients",), number(0), True),
        *plain_columns("patients", "runs", number=True),
        *(
            interval_column(metric.label, key, metric.digits)
            for key, metric in (METRICS | FALSE_ALARMS).items()
            if key in METRICS or any(row[key] == row[key] for row in rows)
        ),
        Column("undefined", number=True),
        Column("failed cases", ("failed_cases",), str, True),
        Column("failed cells", ("failed",), str, True),
        Column("converged", show=or_dash),
        Column("fit s/run", ("fit_seconds",), number(1), True),
        Column("all runs", ("cpu_hours", "gpu_hours"), hours, True),
        Column("pre-training", ("pretraining_cpu_hours", "pretraining_gpu_hours"), hours, True),
        *([Column("tuning", tuning, hours, True)] if tuned else []),
        Column("contamination"),
        Column("note"),
    ]
    return Table(
        "means",
        "Means and costs",
        "Mean over patients with its 95% bootstrap interval. The cost of pre-training is that of "
        "making the weights once; every cell that uses them is charged with it."
        + (" So it is with the trials of a tuning." if tuned else ""),
        columns,
        rows,
    )


def failed_table(groups: Sequence[Group]) -> Table:
    """Every cell without a result, with the reason."""
    rows = [
        {
            **group.where.told,
            "arm": group.arm,
            **failed.run._asdict(),
            "key": failed.key,
            "reason": failed.reason.strip() or "no reason recorded",
        }
        for group in groups
        for failed in group.failed
    ]
    tests = ["test"] if any("test" in row for row in rows) else []
    columns = [
        *plain_columns("task", *tests, "fraction", "arm"),
        *plain_columns("draw", "seed", number=True),
        Column("reason", ("reason",), lambda reason: reason.strip().splitlines()[-1]),
        Column("record", ("key",)),
    ]
    return Table("failed", "Failed cells", "Cells without a result.", columns, rows)


def where_columns(rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Task and fraction; adaptation and setting only where they differ."""
    columns = [Column("task"), Column("fraction")]
    if any("test" in row for row in rows):
        columns.insert(1, Column("test"))
    settings: dict[str, set[str]] = {}
    for row in rows:
        settings.setdefault(row["task"], set()).add(row["setting"])
    if any(len(found) > 1 for found in settings.values()):
        columns.append(Column("setting"))
    if {row["adaptation"] for row in rows} - {"full"}:
        columns.append(Column("adaptation"))
    return columns
