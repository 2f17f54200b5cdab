"""One process at a time in a folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxbench.errors import DataError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait for the folder's lock and hold it; the system gives it back even after a kill.

    Raises:
        DataError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise DataError(
            f"{folder}: can't be written ({error.strerror}); set VOXBENCH_CACHE to one that can."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
