"""Records on disk: one JSON file a cell, written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from bench.errors import RecordError
from bench.record.record import SCHEMA, Record


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


def write_atomically(path: Path, text: str) -> None:
    """Write a text file through a temporary one in the same folder, synced before it is moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read(path: Path) -> Record:
    try:
        record = Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(
            f"{path}: not a record ({str(error).splitlines()[0]}); delete it to run its cell again."
        ) from None
    if record.schema_version != SCHEMA:
        raise RecordError(
            f"{path}: schema {record.schema_version}, this voxbench reads {SCHEMA}; run the cell "
            "again, or use the version that wrote it."
        )
    return record
