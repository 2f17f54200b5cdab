"""Wide CSV: one row a case, one column a class; the file's name says whose score it is.

As in Touchstone (Bassi et al. 2024, arXiv:2411.03670): `<arm>_<metric>.csv`, `<arm>/<metric>.csv`.
"""

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

CASE_COLUMNS = ("case", "name", "id", "case_id", "patient")


def read_wide(
    path: Path, task: str, arm: str | None, metric: str | None, fraction: str
) -> list[ImportedScore]:
    """All scores of a file.

    Args:
        path: the file.
        task: what was segmented.
        arm: whose scores they are; None takes the file's name.
        metric: of the scores; None takes the file's name.
        fraction: of the training set.

    Raises:
        DataError: arm or metric is neither given nor in the name, or a value is impossible.
    """
    named_arm, named_metric = _names(path)
    found = require_metric(metric, str(path)) if metric else named_metric
    if not found:
        raise DataError(f"{path}: the name ends in no metric; give --metric dice, nsd or hd95_mm.")
    training = ImportedArm(task, arm or named_arm, fraction)
    columns = read_header(path)
    first = next((name for name in columns if name.lower() in CASE_COLUMNS), columns[0])
    return [
        ImportedScore(
            training, row[first], row[first], name, found, parse_score(value, found, where)
        )
        for number, row in read_rows(path)
        for name, value in row.items()
        if name != first and (where := f"{path}, line {number}, column {name}")
    ]


def _names(path: Path) -> tuple[str, str | None]:
    """Arm and metric by the file's name, or by its folder's."""
    stem, _, end = path.stem.rpartition("_")
    if stem and metric_by_alias(end):
        return stem, metric_by_alias(end)
    if metric_by_alias(path.stem):
        return path.parent.name, metric_by_alias(path.stem)
    return path.stem, None
