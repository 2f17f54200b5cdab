"""What every layout is read into, and the checks that all of them share."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from voxbench.errors import DataError, unknown

METRIC_ALIASES = {
    "dice": ("dice", "dsc", "dicescore", "f1"),
    "nsd": ("nsd", "surfacedice", "sdc"),
    "hd95_mm": ("hd95mm", "hd95"),
}
_NAMES = {alias: metric for metric, aliases in METRIC_ALIASES.items() for alias in aliases}
_TASK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=,%()\[\] -]{0,199}")


class ImportedArm(NamedTuple):
    """Whose scores they are."""

    task: str
    arm: str
    fraction: str = "100%"
    draw: int = 0
    seed: int = 0


class ImportedScore(NamedTuple):
    """One value; NaN is undefined."""

    training: ImportedArm
    case: str
    patient: str
    name: str  # of the class
    metric: str
    value: float


def metric_by_alias(name: str) -> str | None:
    """Our name of a metric that others write as DSC, NSD, HD95, …; None if it is none of them."""
    return _NAMES.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def require_metric(name: str, where: str) -> str:
    """The same, or an error that says where.

    Raises:
        DataError: unknown metric.
    """
    found = metric_by_alias(name)
    if found is None:
        raise DataError(f"{where}: {unknown('metric', name, _NAMES)}")
    return found


def parse_score(text: str, metric: str, where: str) -> float:
    """A score from its text; "" and nan are undefined.

    Raises:
        DataError: no number, or a value that the metric can't have.
    """
    try:
        value = float(text) if text.strip() else math.nan
    except ValueError:
        raise DataError(f"{where}: {text!r} is no number; leave it empty if undefined.") from None
    highest = math.inf if metric == "hd95_mm" else 1.0
    if math.isinf(value) or (not math.isnan(value) and not 0 <= value <= highest):
        raise DataError(
            f"{where}: {metric} is {text.strip()}, which is not "
            + ("a finite distance in mm." if metric == "hd95_mm" else "between 0 and 1.")
        )
    return value


def check_names(training: ImportedArm) -> None:
    """Names end up in files and tables.

    Raises:
        DataError: a name with other characters than letters, digits and plain signs.
    """
    if not _TASK.fullmatch(training.task):
        raise DataError(
            f"task {training.task!r}: letters, digits, '.', '_' and '-' only; give --task NAME."
        )
    if not _ARM.fullmatch(training.arm):
        raise DataError(f"arm {training.arm!r}: letters, digits and plain signs; give --arm NAME.")


def check_once(scores: Sequence[ImportedScore], where: str) -> None:
    """No case has two values of one class and metric.

    Raises:
        DataError: one has.
    """
    seen = set()
    for score in scores:
        key = score[:-1]
        if key in seen:
            raise DataError(
                f"{where}: case {score.case!r} has two values of {score.metric} for {score.name!r} "
                f"({score.training.arm}); keep one."
            )
        seen.add(key)
