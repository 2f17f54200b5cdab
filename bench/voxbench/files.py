"""Files that are there whole or not at all."""

import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

_TEMPORARY = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp")
_STALE_S = 24 * 3600.0


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file as a whole, see `writing_atomically`."""
    with writing_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """Write a file through a temporary one in its folder, synced before it is moved.

    A reader, and whoever looks after a crash, sees the old content or the new one.

    Raises:
        OSError: the machine can't; it names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def temporary_beside(path: Path) -> Path:
    """A hidden name in the same folder, for what is moved to `path` once it is whole.

    It tells which process writes it, see `remove_leavings`.
    """
    return path.with_name(f".{machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")


def remove_leavings(folder: Path) -> None:
    """Remove the temporary files and folders in a folder that nobody writes any more.

    Those of processes of this machine that have ended, and those of others that are a day old.
    """
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and _is_left(path, *found.groups()):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _is_left(path: Path, writer: str, process: str) -> bool:
    if writer == machine():
        return not Path("/proc", process).exists()
    try:
        return time.time() - path.stat().st_mtime > _STALE_S
    except FileNotFoundError:  # its writer has just finished
        return False


@cache
def machine() -> str:
    """This machine since it was started, or the container on it that numbers processes.

    Eight digits. Machines that are called alike differ in what the kernel drew when it started.
    """
    told = [platform.node()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        told.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return hashlib.sha256(" ".join(told).encode()).hexdigest()[:8]


def has_checksum(path: Path, checksum: str) -> bool:
    """Whether a file has a checksum that is written as "algorithm:hex digits", or their first."""
    algorithm, _, expected = checksum.partition(":")
    return hex_digest(path, algorithm).startswith(expected)


def hex_digest(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file's content by an algorithm that `hashlib` knows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def note_checksum(path: Path, sha256: str) -> None:
    """Note what a file must have from now on, beside it, as the program `sha256sum` reads it."""
    write_atomically(_note(path), f"{sha256}  {path.name}\n")


def noted_checksum(path: Path) -> str | None:
    """What was noted of a file, written as for `has_checksum`; None if nothing was."""
    try:
        found = re.match("[0-9a-f]{64}(?= )", _note(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return f"sha256:{found[0]}" if found else None


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
