"""How far the work in this process is: told by whoever does it, heard by whoever watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """Where a piece of work stands.

    Attributes:
        doing: training, preparing, predicting, …
        done: steps, or cases.
        total: of them.
        loss: mean since it was last read, of a training.
    """

    doing: str
    done: int
    total: int
    loss: float | None = None


News = Stage | str
"""Where the work stands, or a sentence that a person should read."""

_listeners: list[Callable[[News], None]] = []


def tell(news: News) -> None:
    """Let whoever listens know; nobody may."""
    for listener in _listeners:
        listener(news)


@contextmanager
def heard_by(listener: Callable[[News], None]) -> Iterator[None]:
    """Tell all news of this process to a listener meanwhile."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
