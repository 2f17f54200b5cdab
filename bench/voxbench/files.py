"""Files that are there whole or not at all."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
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


def has_checksum(path: Path, checksum: str) -> bool:
    """Whether a file has a checksum that is written as "algorithm:hex digits", or their first."""
    algorithm, _, expected = checksum.partition(":")
    return hex_digest(path, algorithm).startswith(expected)


def hex_digest(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file's content by an algorithm that `hashlib` knows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
