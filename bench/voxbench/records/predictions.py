"""Where the predicted label maps of a cell's test cases lie, beside its record."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from voxbench.design.cell import digest
from voxbench.files import write_atomically
from voxbench.records.record import Record

_UNSAFE = re.compile(r"[/\\:*?\"<>|`&$\x00-\x1f\x7f]|^\.|^\s|\s$")
_LONGEST = 160  # bytes


def prediction_path(root: Path, key: str, case: str) -> Path:
    """`ROOT/predictions/KEY/CASE.nii.gz`: label values, as the task's data set has them.

    uint8, or uint16 where a value needs it, on the grid of the case's reference file;
    `dataset.json` beside them says which value is which class. Older files hold class indices, see
    `data.kept_map`. What no file system or archive takes in a name becomes "_", with a digest that
    tells such ids apart, so that none leads out of the folder.
    """
    safe = _UNSAFE.sub("_", case)
    if safe != case or len(case.encode()) > _LONGEST:
        safe = f"{safe.encode()[:_LONGEST].decode(errors='ignore')}-{digest(case)[:8]}"
    return root / "predictions" / key / f"{safe}.nii.gz"


def describe_predictions(
    root: Path, key: str, classes: Mapping[str, int | tuple[int, ...]]
) -> None:
    """Write `dataset.json` beside a cell's predictions: which label value is which class."""
    table = {"labels": {"background": 0, **classes}, "file_ending": ".nii.gz"}
    file = root / "predictions" / key / "dataset.json"
    write_atomically(file, json.dumps(table, indent=1) + "\n")


def missing_predictions(root: Path, record: Record) -> list[str]:
    """The cases that were predicted and whose label maps are not there."""
    cases = (case.case for case in record.cases if case.failure is None)
    return [case for case in cases if not prediction_path(root, record.key, case).exists()]
