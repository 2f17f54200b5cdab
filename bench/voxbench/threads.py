"""Threads: those that nobody waits for where the work ends early, and those of BLAS."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads; what they have not begun when it ends is dropped, the rest left alone."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Leave the cores to others meanwhile: BLAS would take them all and wait busily for more."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
