"""How the processor's memory is kept from one step to the next."""

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_MIB = 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep what a step frees, up to 1 GiB, for the tensors of the next one.

    By default glibc hands the pages of large arrays back to the kernel, which clears new ones for
    every step: up to a third of the time of a small network's step. Nothing happens where the C
    library has no such choice.
    """
    try:
        choose = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    choose(_MMAP_THRESHOLD, 32 * _MIB)  # its maximum
    choose(_TRIM_THRESHOLD, 1024 * _MIB)
