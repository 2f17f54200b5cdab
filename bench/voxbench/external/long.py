"""Long CSV: one row a case and class, with `metric` and `value`, or with a column a metric.

Columns: `case`, `class`; `arm` (or `model`) and `task` unless given; `patient`, `fraction`, `draw`
and `seed` where there are any.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from voxbench.errors import DataError
from voxbench.external.scores import (
    ImportedArm,
    ImportedScore,
    metric_by_alias,
    parse_score,
    require_metric,
)
from voxbench.external.table import read_header, read_rows

LONG_COLUMNS = ("case", "class")


def is_long(columns: list[str]) -> bool:
    """Whether a table with these columns is a long one."""
    return set(LONG_COLUMNS) <= {name.lower() for name in columns}


def read_long(path: Path, task: str | None, arm: str | None, fraction: str) -> list[ImportedScore]:
    """All scores of a file; what is given stands for columns that it lacks.

    Raises:
        DataError: a column is missing, or a value is impossible.
    """
    columns = {name.lower(): name for name in read_header(path)}
    metrics = {name: metric for name in columns if (metric := metric_by_alias(name))}
    if not metrics and not {"metric", "value"} <= set(columns):
        raise DataError(f"{path}: needs the columns metric and value, or dice, nsd or hd95_mm.")
    whose = next((name for name in ("arm", "model") if name in columns), None)
    if not (whose or arm) or not ("task" in columns or task):
        raise DataError(f"{path}: no column for arm or task; add it, or give --arm and --task.")
    given = {"task": task or "", "arm": arm or "", "fraction": fraction}
    found: list[ImportedScore] = []
    for number, row in read_rows(path):
        told = {name: row[column] for name, column in columns.items()}
        told["arm"] = told[whose] if whose else ""
        told |= {name: told.get(name) or value for name, value in given.items()}
        found += _row_scores(told, metrics, f"{path}, line {number}")
    return found


def _row_scores(
    told: Mapping[str, str], metrics: Mapping[str, str], where: str
) -> Iterator[ImportedScore]:
    """The scores of a row: one of its `metric`, or one a column of `metrics`."""
    training = ImportedArm(
        told["task"],
        told["arm"],
        told["fraction"],
        _whole(told, "draw", where),
        _whole(told, "seed", where),
    )
    case, patient = told["case"], told.get("patient") or told["case"]
    values = (
        {metric: told[name] for name, metric in metrics.items()}
        if metrics
        else {require_metric(told["metric"], where): told["value"]}
    )
    for metric, text in values.items():
        value = parse_score(text, metric, where)
        yield ImportedScore(training, case, patient, told["class"], metric, value)


def _whole(row: Mapping[str, str], name: str, where: str) -> int:
    text = row.get(name) or "0"
    if not text.isdecimal() or len(text) > 9:
        raise DataError(f"{where}: {name} is {text!r}, which is no whole number from 0.")
    return int(text)
