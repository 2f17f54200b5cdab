"""Figures drawn by a process of their own, while this one makes the tables."""

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from voxbench.child import Child, born
from voxbench.cores import available_cores
from voxbench.reporting.figures.draw import Figure, draw_figures

_MEANS = 100  # which take longer to draw than another process to start


def begin_figures(means: list[Any], *others: Any) -> Callable[[], list[Figure]]:
    """Begin to draw the figures, as `draw_figures` does; give what waits for them.

    Where it is not worth a process, or that fails, they are drawn here, and an error is raised by
    what waits.
    """
    content = (means, *others)
    if len(means) < _MEANS or available_cores() < 2:
        return lambda: draw_figures(*content)
    child = Child(__name__, "_draw", os.environ)
    child.pipe.send_bytes(pickle.dumps(content))

    def drawn() -> list[Figure]:
        try:
            found: list[Figure] = child.pipe.recv()
        except EOFError:
            found = draw_figures(*content)
        finally:
            child.kill()
            child.close()
        return found

    return drawn


def _draw(pipe: Connection) -> None:
    born(pipe)
    with suppress(Exception):
        pipe.send(draw_figures(*pickle.loads(pipe.recv_bytes())))  # noqa: S301 (of its parent)
