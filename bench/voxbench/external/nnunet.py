"""nnU-Net's `summary.json`, version 2: `metric_per_case` with a dictionary a class."""

import json
import math
from pathlib import Path, PurePosixPath
from typing import Any

from voxbench.data.volume_files import stem_of
from voxbench.errors import DataError, bare
from voxbench.external.scores import ImportedArm, ImportedScore, metric_by_alias, parse_score

_BACKGROUND = "0"


def read_summary(path: Path, task: str, arm: str, fraction: str) -> list[ImportedScore]:
    """All scores of a file; classes by name where the file has them, else by label.

    Raises:
        DataError: it is no such file, or a value is impossible.
    """
    document = _load(path)
    names = document.get("classes")
    names = names if isinstance(names, dict) else {}
    training = ImportedArm(task, arm, fraction)
    found = []
    for place, entry in enumerate(document["metric_per_case"]):
        where = f"{path}, metric_per_case[{place}]"
        case, metrics = _case(entry, where), entry.get("metrics")
        if not isinstance(metrics, dict):
            raise DataError(f"{where}: no dictionary 'metrics'.")
        for label, scores in metrics.items():
            if label == _BACKGROUND or not isinstance(scores, dict):
                continue
            name = str(names.get(label, label))
            found += [
                ImportedScore(
                    training, case, case, name, metric, _value(value, metric, f"{where}, {label}")
                )
                for key, value in scores.items()
                if (metric := metric_by_alias(key))
            ]
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: can't be read as JSON ({bare(error)}).") from None
    if not isinstance(document, dict) or not isinstance(document.get("metric_per_case"), list):
        raise DataError(
            f"{path}: no list 'metric_per_case'; nnU-Net's version 2 writes one (version 1 needs "
            "its evaluation to be run again, or voxbench score)."
        )
    return document


def _case(entry: Any, where: str) -> str:
    """The case's name from the reference, without folder and ending; separators of any system."""
    file = entry.get("reference_file") if isinstance(entry, dict) else None
    if not isinstance(file, str) or not file:
        raise DataError(f"{where}: no 'reference_file' to name the case by.")
    path = PurePosixPath(file.replace("\\", "/"))
    return stem_of(path.name) or path.stem


def _value(value: Any, metric: str, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{where}: {metric} is {value!r}, which is no number.")
    return parse_score(repr(value), metric, where)
