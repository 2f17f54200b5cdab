"""Records on disk: one JSON file a cell, written whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

from voxbench.files import write_atomically
from voxbench.records.glance import Glance, glance
from voxbench.records.record import Record
from voxbench.records.scored import ScoredRecord, read_record, read_scored


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
        return read_record(path) if path.exists() else None

    def __iter__(self) -> Iterator[Record]:
        """All records in the order of their keys."""
        return map(read_record, self.files())

    def scored(self) -> Iterator[ScoredRecord]:
        """The same for analyses, whose scores are read when they are asked for."""
        return map(read_scored, self.files())

    def glances(self) -> Iterator[Glance]:
        """How each cell ended, in the order of their keys."""
        return (glance(f"{self.folder}/{name}") for name in self._names())

    def facts(self, key: str) -> ScoredRecord:
        """All of a record but its scores, which are read when they are asked for.

        Raises:
            RecordError: the file is damaged or of another schema.
        """
        return read_scored(self.path(key))

    def files(self) -> list[Path]:
        """All of them, in the order of their keys."""
        return [self.folder / name for name in self._names()]

    def _names(self) -> list[str]:
        entries = os.scandir(self.folder) if self.folder.is_dir() else ()
        return sorted(entry.name for entry in entries if entry.name.endswith(".json"))
