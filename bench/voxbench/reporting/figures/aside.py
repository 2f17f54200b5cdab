"""Figures drawn by a process of their own, while this one makes the tables."""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from voxbench.analyses.effects import Effect
from voxbench.analyses.means import Mean
from voxbench.child import Child, born
from voxbench.cores import available_cores
from voxbench.reporting.figures.draw import Figure, Recipes, draw_figures
from voxbench.stats.metric import Metric

_MEANS = 100  # which take longer to draw than another process to start


@contextmanager
def figures_aside(
    means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, margin: float, folder: Path,
    recipes: Recipes, width: float,
) -> Iterator[Callable[[], list[Figure]]]:  # fmt: skip
    """Draw the figures meanwhile, as `draw_figures` does; gives what waits for them.

    Where it is not worth a process, or that fails, they are drawn here, and an error is raised by
    what waits.
    """
    content = (means, effects, metric, margin, folder, recipes, width)
    if len(means) < _MEANS or available_cores() < 2:
        yield lambda: draw_figures(*content)
        return
    child = Child(__name__, "_draw", os.environ)
    try:
        child.pipe.send_bytes(pickle.dumps(content))
        yield lambda: _received(child) or draw_figures(*content)
    finally:
        child.kill()
        child.close()


def _received(child: Child) -> list[Figure]:
    """What it has drawn; nothing where it failed."""
    found: list[Figure] = []
    with suppress(EOFError):
        found = child.pipe.recv()
    return found


def _draw(pipe: Connection) -> None:
    born(pipe)
    with suppress(Exception):
        pipe.send(draw_figures(*pickle.loads(pipe.recv_bytes())))  # noqa: S301 (of its parent)
