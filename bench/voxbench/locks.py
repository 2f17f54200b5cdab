"""One process at a time in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from voxbench.errors import DataError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait for the folder's lock and hold it; the system gives it back even after a kill.

    Raises:
        DataError: the folder can't be written.
    """
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise DataError(
            f"{folder}: can't be written ({error.strerror}); set VOXBENCH_CACHE to one that can."
        ) from error
    try:
        yield
    finally:
        lock.release()
