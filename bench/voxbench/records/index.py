"""What the records of a folder say at a glance, kept beside them: a cache that may be deleted.

Each folder of records has a file in `index/`, made of the records when it is asked for. It holds
while the folder's date of change is the one that it was made at: a record is written by moving a
file into its folder, which changes that. A date of the last seconds is not trusted, since another
record may come with the same one; the file system that has both files tells how old it was, so
that no machine's clock is asked. What changed is found by number, date and size of the files, and
only that is read. Any number of processes may write the same index: each moves a whole one.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from voxbench.files import write_atomically
from voxbench.records.glance import Glance, glance

_LAYOUT = 1
_WORTH = 32
"""Records in a folder; fewer are read as fast without an index."""
_SETTLED_NS = 2_000_000_000
"""So much older than its index a folder's date of change is one that no later record can have."""

_Stamp = tuple[int, int, int]  # of a file: its number, date of change and size


class _Row(NamedTuple):
    stamp: _Stamp
    glance: Glance


class _Index(NamedTuple):
    """Made then (date), of a folder that was this one (number) and had last changed then (date)."""

    made: int
    folder: tuple[int, int]
    rows: dict[str, _Row]

    def holds(self, seen: tuple[int, int]) -> bool:
        """Whether it is of this folder, which has not changed since."""
        return self.folder == seen and self.made - seen[1] > _SETTLED_NS


def glances(folder: Path, index: Path) -> dict[str, Glance]:
    """Name of the file → what it says at a glance, of each record in a folder.

    Args:
        folder: of the records; subfolders are left aside.
        index: where what they say is kept.

    Raises:
        RecordError: a record is damaged or of another schema.
    """
    seen, known = _seen(folder), _read(index)
    if known and known.holds(seen):
        return {name: row.glance for name, row in known.rows.items()}
    files = {entry.name: entry for entry in os.scandir(folder) if entry.name.endswith(".json")}
    if len(files) < _WORTH:
        return {name: glance(entry.path) for name, entry in sorted(files.items())}
    rows: dict[str, _Row] = {}
    for name, entry in sorted(files.items()):
        stamp = _stamp(entry.stat())
        row = known.rows.get(name) if known else None
        rows[name] = row if row and row.stamp == stamp else _Row(stamp, glance(entry.path))
    _write(index, seen, rows)
    return {name: row.glance for name, row in rows.items()}


def _seen(folder: Path) -> tuple[int, int]:
    """Number of a folder and date of its last change, asked of the server that has it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.fstat(handle)
    finally:
        os.close(handle)
    return status.st_ino, status.st_mtime_ns


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(index: Path) -> _Index | None:
    """The index of a file; None if there is none, or none that this version wrote."""
    try:
        with index.open("rb") as file:
            made = os.fstat(file.fileno()).st_mtime_ns
            layout, number, date, *rows = json.load(file)
        if layout != _LAYOUT:
            return None
        return _Index(
            made,
            (number, date),
            {name: _Row((i, d, size), Glance(*said)) for name, i, d, size, *said in rows},
        )
    except (OSError, ValueError, TypeError):
        return None


def _write(index: Path, folder: tuple[int, int], rows: dict[str, _Row]) -> None:
    """Keep it; where nothing can be written, the records are read again the next time."""
    told = [[name, *row.stamp, *row.glance] for name, row in rows.items()]
    with suppress(OSError):
        write_atomically(index, json.dumps([_LAYOUT, *folder, *told]))
