"""Wide CSV: one row a case, one column a class; the file's name says whose score it is.

As in Touchstone (Bassi et al. 2024, arXiv:2411.03670): `<arm>_<metric>.csv`, `<arm>/<metric>.csv`.
"""

from pathlib import Path

from voxbench.errors import DataError
from voxbench.external import table
from voxbench.external.scores import Score, Training, checked, find_metric, metric_named

CASES = ("case", "name", "id", "case_id", "patient")


def read(path: Path, task: str, arm: str | None, metric: str | None, fraction: str) -> list[Score]:
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
    found = metric_named(metric, str(path)) if metric else named_metric
    if not found:
        raise DataError(f"{path}: the name ends in no metric; give --metric dice, nsd or hd95_mm.")
    training = Training(task, arm or named_arm, fraction)
    columns = table.header(path)
    first = next((name for name in columns if name.lower() in CASES), columns[0])
    return [
        Score(training, row[first], row[first], name, found, checked(value, found, where))
        for number, row in table.rows(path)
        for name, value in row.items()
        if name != first and (where := f"{path}, line {number}, column {name}")
    ]


def _names(path: Path) -> tuple[str, str | None]:
    """Arm and metric by the file's name, or by its folder's."""
    stem, _, end = path.stem.rpartition("_")
    if stem and find_metric(end):
        return stem, find_metric(end)
    if find_metric(path.stem):
        return path.parent.name, find_metric(path.stem)
    return path.stem, None
