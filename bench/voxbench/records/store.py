"""Records on disk: one JSON file a cell, written whole or not at all."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from voxbench.files import write_atomically
from voxbench.records import index
from voxbench.records.glance import Glance, glance
from voxbench.records.record import Record
from voxbench.records.scored import ScoredRecord, read_record, read_scored

SHARD = 2
"""Digits of a key: the name of the folder that its record lies in, one of 256."""


class Store:
    """The records of one output folder, in `records/<first two digits>/<key>.json`.

    A folder of an earlier version has them in `records/<key>.json`; it stays as it is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "records"

    def path(self, key: str) -> Path:
        """Where a cell's record lies, or would."""
        name = f"{key}.json"
        places = [self.folder / key[:SHARD] / name, self.folder / name]
        if self._flat:
            places.reverse()
        return next((path for path in places if path.exists()), places[0])

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
        """How each cell ended, in the order of their keys; see `index`."""
        found: dict[str, Glance] = {}
        for folder in self.folders():
            kept = self.root / "index" / f"{folder.name}.json"
            found |= index.glances(folder, kept)
        return (found[name] for name in sorted(found))

    def has_finished(self, key: str) -> bool:
        """Whether a cell has a record, and did not fail.

        Raises:
            RecordError: the file is damaged or of another schema.
        """
        path = self.path(key)
        return path.exists() and glance(str(path)).failure is None

    def facts(self, key: str) -> ScoredRecord:
        """All of a record but its scores, which are read when they are asked for.

        Raises:
            RecordError: the file is damaged or of another schema.
        """
        return read_scored(self.path(key))

    def files(self) -> list[Path]:
        """All of them, in the order of their keys."""
        found = {
            entry.name: folder / entry.name
            for folder in self.folders()
            for entry in os.scandir(folder)
            if entry.name.endswith(".json")
        }
        return [found[name] for name in sorted(found)]

    def folders(self) -> list[Path]:
        """Those that there are with records, what is looked for first last."""
        if not self.folder.is_dir():
            return []
        inner = sorted(entry.path for entry in os.scandir(self.folder) if entry.is_dir())
        shards = [Path(path) for path in inner]
        return [*shards, self.folder] if self._flat else [self.folder, *shards]

    @cached_property
    def _flat(self) -> bool:
        """Whether records lie beside one another, as an earlier version left them."""
        if not self.folder.is_dir():
            return False
        with os.scandir(self.folder) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
