"""Memory: how much there was of it, how a training keeps it, and when none is looked through."""

import ctypes
import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_MIB = 2**20


def peak_memory_mb(device: str) -> float:
    """The most that this process has had: of an accelerator's memory, else of its own."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


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


@contextmanager
def no_collector() -> Iterator[None]:
    """Without looking for cycles: a fifth of the time where many objects are made without any."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
