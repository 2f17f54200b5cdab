"""Asking a process to stop its work so that it can be taken up again: by a signal, or in time."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
"""By which schedulers ask: before they kill, or as long before as they are told to."""


class Stopped(BaseException):
    """The work was asked to stop. It is no failure: what is stored of it is taken up again."""


class _State:
    asked = False
    at_once = False


def asked() -> bool:
    """Whether this process has been asked to stop."""
    return _State.asked


@contextmanager
def on_signals(after_s: float | None = None) -> Iterator[None]:
    """Let a signal, or the end of so many seconds, ask this process to stop."""
    kinds = (*SIGNALS, signal.SIGALRM)
    before = {kind: signal.signal(kind, _ask) for kind in kinds}
    if after_s is not None:
        signal.setitimer(signal.ITIMER_REAL, max(after_s, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in before.items():
            signal.signal(kind, handler)
        _State.asked = False


@contextmanager
def at_once() -> Iterator[None]:
    """Stop wherever the process is meanwhile, but where it is `deferred`.

    Raises:
        Stopped: it is asked to.
    """
    with _raising(True):
        if _State.asked:
            raise Stopped
        yield


@contextmanager
def deferred() -> Iterator[None]:
    """Let the work look itself whether it is `asked`, and raise `Stopped` once it is stored.

    Raises:
        Stopped: at the end, if it was asked and has not looked.
    """
    with _raising(False):
        yield
    if _State.asked and _State.at_once:
        raise Stopped


def forget_signals() -> None:
    """Let them end this process, a forked copy, as they would any other."""
    for kind in (*SIGNALS, signal.SIGALRM):
        signal.signal(kind, signal.SIG_DFL)


@contextmanager
def _raising(at_once: bool) -> Iterator[None]:
    before, _State.at_once = _State.at_once, at_once
    try:
        yield
    finally:
        _State.at_once = before


def _ask(_signal: int, _frame: FrameType | None) -> None:
    _State.asked = True
    if _State.at_once:
        raise Stopped
