"""The records and arms of a result folder."""

from pathlib import Path

from voxbench.errors import RecordError
from voxbench.records import Record, Store
from voxbench.stats.frame import Group, read_groups


def groups_in(store_dir: Path) -> list[Group]:
    """Read the records of a folder and group them.

    Raises:
        RecordError: there is no record, or one can't be read.
    """
    return read_groups(records_in(store_dir))


def records_in(store_dir: Path) -> list[Record]:
    """Read the records of a folder.

    Raises:
        RecordError: there is no record, or one can't be read.
    """
    records = list(Store(store_dir))
    if not records:
        raise RecordError(
            f"{store_dir}: no records there; run a sweep into it first "
            f"(voxbench run SPEC -o {store_dir})."
        )
    return records
