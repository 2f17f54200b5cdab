"""The scores of every class of a task, by arm and fraction."""

from collections.abc import Sequence
from typing import Any

from voxbench.analyses.classes import class_groups
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.means import Mean, means
from voxbench.analyses.table import Column, Table, interval, plain_columns
from voxbench.reporting.names import slug
from voxbench.stats.metric import METRICS, Metric


def class_tables(groups: Sequence[Group], task: str) -> list[Table]:
    """One table a metric: arms in rows, classes in columns."""
    found = {name: means(alone) for name, alone in class_groups(groups, task)}
    return [_table(task, found, metric) for metric in METRICS.values()]


def _table(task: str, found: dict[str, list[Mean]], metric: Metric) -> Table:
    rows: dict[tuple[Where, str], dict[str, Any]] = {}
    for name, own in found.items():
        for mean in own:
            named = {**mean.where.told, "arm": mean.arm}
            row = rows.setdefault((mean.where, mean.arm), named)
            value, low, high = mean.scores[metric.key]
            row |= {name: value, f"{name} low": low, f"{name} high": high}
    several = {row["setting"] for row in rows.values()}
    return Table(
        slug(f"classes-{task}-{metric.key}"),
        f"{metric.label} by class",
        f"Mean {metric.label} of each class over patients, with its 95% bootstrap interval.",
        [
            *plain_columns("arm", "fraction"),
            *([Column("setting")] if len(several) > 1 else []),
            *(
                Column(name, (name, f"{name} low", f"{name} high"), interval(metric.digits), True)
                for name in found
            ),
        ],
        list(rows.values()),
    )
