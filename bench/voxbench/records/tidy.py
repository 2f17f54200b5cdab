"""What killed processes leave in an output folder, removed."""

from collections.abc import Collection
from pathlib import Path

from voxbench.files import remove_leavings
from voxbench.records import Store
from voxbench.records.claims import release_left
from voxbench.records.external import external_store

_FOLDERS = (
    "index", "sweeps", "private", "checkpoints", "splits", "races", "trials", "weights",
    "ensembles", "uncertainty", "active", "failures", "external/index",
)  # fmt: skip


def tidy(root: Path, todo: Collection[str] = ()) -> None:
    """Remove what nobody writes or holds any more, and checkpoints of finished cells.

    Args:
        root: the output folder.
        todo: keys of the cells that are to run, whose checkpoints stay.
    """
    store = Store(root)
    records = *store.folders(), *external_store(root).folders()
    folders = [root, *(root / name for name in _FOLDERS)]
    for folder in (*folders, *records, *(root / "predictions").glob("*/")):
        remove_leavings(folder)
    release_left(root)
    for checkpoint in (root / "checkpoints").glob("*.ckpt"):
        record = None if checkpoint.stem in todo else store.read(checkpoint.stem)
        if record and record.status == "ok":
            checkpoint.unlink(missing_ok=True)
