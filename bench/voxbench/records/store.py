"""Records on disk: one JSON file a cell, written whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from voxbench.errors import RecordError, first_rule
from voxbench.files import write_atomically
from voxbench.records.record import SCHEMA, Record


class Store:
    """The records of one output folder, in `records/<key>.json`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "records"

    def path(self, key: str) -> Path:
        """Where a cell's record lies."""
        return self.folder / f"{key}.json"

    def write(self, record: Record) -> None:
        """Store a record; a reader sees the old one or the new one, never a part."""
        write_atomically(self.path(record.key), record.model_dump_json(indent=1))

    def read(self, key: str) -> Record | None:
        """The record of a cell, or None.

        Raises:
            RecordError: the file is damaged or of another schema.
        """
        path = self.path(key)
        return _read(path) if path.exists() else None

    def __iter__(self) -> Iterator[Record]:
        """All records in the order of their keys."""
        for path in sorted(self.folder.glob("*.json")):
            yield _read(path)


def _read(path: Path) -> Record:
    try:
        record = Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(
            f"{path}: not a record ({first_rule(error)}); delete it to run its cell again."
        ) from None
    if record.schema_version != SCHEMA:
        raise RecordError(
            f"{path}: schema {record.schema_version}, this voxbench reads {SCHEMA}; run the cell "
            "again, or use the version that wrote it."
        )
    return record
