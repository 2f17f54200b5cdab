"""What the data are, as hashes: of files, and of a list of cases. Paths never enter one."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from voxbench.api import Case
from voxbench.data.volume_files import slice_files
from voxbench.design.cell import digest
from voxbench.errors import DataError
from voxbench.files import hex_digest
from voxbench.paths import cache_dir
from voxbench.threads import threads

_CHUNK = 256  # files between two commits: what an interrupted hashing loses at most


def cases_hash(cases: Sequence[Case], hashes: Mapping[Path, str] | None = None) -> str:
    """sha256 over the cases' ids, patients, raters, annotated classes and file contents.

    Args:
        cases: in any order.
        hashes: of their files, where they are known.

    Raises:
        DataError: a file is missing.
    """
    if hashes is None:
        hashes = file_hashes([path for case in cases for path in case.files])
    for case in cases:
        for path in case.files:
            if path not in hashes:
                raise DataError(f"{path}: no such file (case {case.id!r}); see voxbench prepare.")
    return digest(sorted([case.id, _case_hash(case, hashes)] for case in cases))


def case_hashes(cases: Sequence[Case], jobs: int = 4) -> list[str]:
    """sha256 of each case: all that its files and description say; missing files are «-»."""
    hashes = file_hashes([path for case in cases for path in case.files], jobs)
    return [_case_hash(case, hashes) for case in cases]


def check_unchanged(expected: Mapping[Path, str], files: Iterable[Path]) -> None:
    """Look whether files are still what they were when they were hashed.

    Raises:
        DataError: one is not, or is gone.
    """
    known = [path for path in files if path in expected]
    found = file_hashes(known)
    for path in known:
        if found.get(path) != expected[path]:
            raise DataError(
                f"{path}: has changed since the sweep was planned; run it again, so that it is "
                "planned anew."
            )


def _case_hash(case: Case, hashes: Mapping[Path, str]) -> str:
    masks = {"": case.label} if isinstance(case.label, Path) else case.label or {}
    label = {name: hashes.get(path, "-") for name, path in masks.items()}
    raters = {name: path and hashes.get(path, "-") for name, path in case.raters.items()}
    return digest(
        {
            "images": [hashes.get(path, "-") for path in case.images],
            "label": None if case.label is None else label,
            "patient": case.patient,
            "labelled": None if case.labelled is None else sorted(case.labelled),
            **({"raters": raters} if raters else {}),
            **({} if case.frame is None else {"frame": case.frame}),
        }
    )


def file_hashes(paths: Iterable[Path], jobs: int = 4) -> dict[Path, str]:
    """sha256 of each file that exists.

    Hashes are remembered in the cache under the file's path, size and what the system alone sets
    when it changes (device, inode, ctime), so that an untouched file is read once, and one that
    another of equal size and date replaces is read again.
    """
    stamps = {path: stamp for path in paths if (stamp := file_stamp(path))}
    try:
        with closing(_remembered()) as table:
            return _look_up(table, stamps, jobs)
    except sqlite3.Error:  # a read-only or damaged cache costs time, not the answer
        return dict(_hash_all(list(stamps), jobs))


def _look_up(table: sqlite3.Connection, stamps: Mapping[Path, str], jobs: int) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for path, stamp in stamps.items():
        row = table.execute("SELECT sha256 FROM hashes WHERE stamp = ?", (stamp,)).fetchone()
        if row:
            found[path] = row[0]
    unknown = [path for path in stamps if path not in found]
    for start in range(0, len(unknown), _CHUNK):
        new = dict(_hash_all(unknown[start : start + _CHUNK], jobs))
        rows = [(stamps[path], value) for path, value in new.items()]
        with table:
            table.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?)", rows)
        found |= new
    return found


def _hash_all(paths: Sequence[Path], jobs: int) -> Iterator[tuple[Path, str]]:
    with threads(jobs) as pool:  # hashing releases the interpreter lock
        yield from zip(paths, pool.map(_content, paths), strict=True)


def _content(path: Path) -> str:
    """sha256 of a file, or of the contents of a folder's slices in the order of their names."""
    return digest([*map(hex_digest, slice_files(path))]) if path.is_dir() else hex_digest(path)


def file_stamp(path: Path) -> str | None:
    """What changes whenever a file or a folder's slices do, unread; None where there is none."""
    if path.is_dir():
        stamps = [file_stamp(each) for each in slice_files(path)]
        return digest(stamps) if stamps else None
    try:
        status = path.stat()
    except OSError:
        return None
    facts = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino
    return "\0".join(map(str, (os.path.realpath(path), *facts)))


def remembered(stamp: str, find: Callable[[], str]) -> str:
    """What was found of a file while its stamp was this one; found and kept where it never was."""
    return remembered_all({stamp: find})[stamp]


def remembered_all(finders: Mapping[str, Callable[[], str | None]]) -> dict[str, str]:
    """As `remembered` of many files, in one go; nothing of those of which nothing is found.

    Args:
        finders: stamp → what finds the fact.
    """
    found: dict[str, str] = {}
    try:
        with closing(_remembered()) as table:
            for stamp in finders:
                row = table.execute("SELECT fact FROM facts WHERE stamp = ?", (stamp,)).fetchone()
                if row:
                    found[stamp] = row[0]
            unknown = [stamp for stamp in finders if stamp not in found]
            for start in range(0, len(unknown), _CHUNK):
                new = _found({stamp: finders[stamp] for stamp in unknown[start : start + _CHUNK]})
                with table:
                    table.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", new.items())
                found |= new
    except sqlite3.Error:
        found |= _found({stamp: finders[stamp] for stamp in finders if stamp not in found})
    return found


def _found(finders: Mapping[str, Callable[[], str | None]]) -> dict[str, str]:
    return {stamp: fact for stamp, find in finders.items() if (fact := find()) is not None}


def _remembered() -> sqlite3.Connection:
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    table = sqlite3.connect(folder / "hashes.sqlite", timeout=60)
    table.execute("CREATE TABLE IF NOT EXISTS hashes (stamp TEXT PRIMARY KEY, sha256 TEXT)")
    table.execute("CREATE TABLE IF NOT EXISTS facts (stamp TEXT PRIMARY KEY, fact TEXT)")
    return table
