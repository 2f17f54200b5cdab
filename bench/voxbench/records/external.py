"""Where scores on external test sets lie: beside the records of the cells, apart from them."""

from pathlib import Path

from voxbench.records.record import Facts
from voxbench.records.store import Store


def external_store(root: Path) -> Store:
    """In `ROOT/external`, which every verb that reads records takes."""
    return Store(root / "external")


def store_of(record: Facts, root: Path) -> Store:
    """The store that a record of an output folder belongs to."""
    return external_store(root) if record.external else Store(root)
