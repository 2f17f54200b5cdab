"""Compile a function once per machine: numba without the GIL, cached where one may write."""

import hashlib
import inspect
import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["compiled", "leading_zeros", "read_only", "trailing_zeros"]


def compiled(function: F, *, fused: bool = False) -> F:
    """Compile `function` with numba and cache it on disk.

    Beside the code, in the user's cache, or in a private temporary folder: the first of them that
    can be written to.

    Args:
        function: that is compiled.
        fused: round a product and the sum behind it once, where the processor can.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"} if fused else False}
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it may write to
        config.CACHE_DIR = _private_folder()
        made = njit(cache=bool(config.CACHE_DIR), **options)(function)
        if not config.CACHE_DIR:
            return made  # type: ignore[no-any-return]
    # It holds the code of what it calls, also from other files, whose changes numba misses.
    made._cache._cache_file._source_stamp = _digest(Path(inspect.getfile(function)).parent)
    return made  # type: ignore[no-any-return]


@cache
def _digest(folder: Path) -> str:
    """What changes with any source file of `folder`."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _private_folder() -> str:
    """A cache folder that only this user can write to, or "" (then nothing is cached)."""
    folder = Path(tempfile.gettempdir()) / f"voxbench-kernels-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return ""
    # Cached kernels are executed when they are loaded: a folder that somebody else planted, or
    # that others can write to, would let them run their code as this user.
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return str(folder) if mine and not status.st_mode & 0o022 else ""


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of `array`, so that what takes it is compiled for one signature only.

    Two signatures of one function in numba's cache index are the one thing that two processes
    starting together could mix up.
    """
    view = array.view()
    view.flags.writeable = False
    return view
