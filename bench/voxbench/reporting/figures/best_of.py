"""The best of k trials of each arm: what a smaller budget of tuning would have said."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxbench.analyses.best_of import BestOf, best_of_k
from voxbench.analyses.tuning import Studied
from voxbench.reporting.figures.draw import Figure
from voxbench.reporting.figures.style import COLOURS, GREYS, marker_of, new_figure, save_figure
from voxbench.reporting.names import slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_best(studies: Sequence[Studied], folder: Path) -> list[Figure]:
    """A figure for each task, fraction and adaptation; arms in colour, their twins dashed in grey.

    The line is the expected best of k trials, points are the best of the first k, the band is the
    95% interval of the median as far as it has two ends.
    """
    made = []
    for (task, fraction, adaptation), own in groupby(studies, _place):
        names = [task, fraction, *([adaptation] if adaptation != "full, tuned" else [])]
        title, stem = " · ".join(names), slug("-".join(["best-of-k", *names]))
        with new_figure(3.6) as figure:
            axes = figure.add_subplot()
            _compose(axes, title, list(own))
            figure.tight_layout()
            made.append(
                Figure(task, "", f"Best of k trials: {title}", save_figure(figure, folder / stem))
            )
    return made


def _place(study: Studied) -> tuple[str, str, str]:
    arm = study.arm
    return arm.task, arm.fraction, arm.adaptation


def _compose(axes: "Axes", title: str, studies: Sequence[Studied]) -> None:
    colours, greys = iter(COLOURS * len(studies)), iter(GREYS * len(studies))
    for at, study in enumerate(studies):
        scratch = study.arm.strategy == "scratch"
        _draw(axes, best_of_k(study), next(greys if scratch else colours), at, scratch)
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlabel("trials")
    axes.set_ylabel("validation Dice of the best")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=7)


def _draw(axes: "Axes", rows: Sequence[BestOf], colour: str, at: int, dashed: bool) -> None:
    k = [row.k for row in rows]
    low, high = np.array([row.low for row in rows]), np.array([row.high for row in rows])
    axes.fill_between(k, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.plot(
        k, [row.expected for row in rows], color=colour, linestyle="--" if dashed else "-",
        linewidth=1.5, label=rows[0].arm.baseline,
    )  # fmt: skip
    axes.plot(
        k, [row.found for row in rows], color=colour, linestyle="none", marker=marker_of(at),
        markersize=3.5,
    )  # fmt: skip
