"""Where the predicted label maps of a cell's test cases lie, beside its record."""

from pathlib import Path

from voxbench.records.record import Record


def prediction_path(root: Path, key: str, case: str) -> Path:
    """`ROOT/predictions/KEY/CASE.nii.gz`: class indices 1, 2, … as the task's card lists them.

    uint8, on the grid of the case's reference file. A separator in a case's id becomes "_", so
    that no id leads out of the folder.
    """
    safe = case.replace("/", "_").replace("\\", "_")
    return root / "predictions" / key / f"{safe}.nii.gz"


def missing_predictions(root: Path, record: Record) -> list[str]:
    """The cases that were predicted and whose label maps are not there."""
    cases = (case.case for case in record.cases if case.failure is None)
    return [case for case in cases if not prediction_path(root, record.key, case).exists()]
