"""The data-efficiency curve of a task: score and effect against the labelled patients."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxbench.analyses.effects import Effect, Mean
from voxbench.reporting.figures.lines import (
    Line,
    draw_names,
    draw_scores,
    log_axis,
    names_height,
    panels,
)
from voxbench.reporting.figures.style import (
    COLOURS,
    FAINT,
    GREYS,
    INK,
    marker_of,
    new_figure,
    save_figure,
)
from voxbench.stats.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

DODGE = 0.022  # of the axis, between the effects of neighbouring arms


def draw_curve(
    title: str, means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, margin: float,
    stem: Path,
) -> list[Path]:  # fmt: skip
    """Write `<stem>.svg` and `<stem>.png`; nothing if no arm has a score.

    The means and effects are those of one task. The same input gives the same bytes.
    """
    lines = _lines(means, effects, metric)
    if not lines:
        return []
    least = 4.6 if any(line.effects for line in lines) else 3.2
    with new_figure(max(least, names_height(lines))) as figure:
        _compose(figure, title, lines, _ticks(means), metric, margin)
        return save_figure(figure, stem)


def _lines(means: Sequence[Mean], effects: Sequence[Effect], metric: Metric) -> list[Line]:
    """Arms in colour; their twins dashed, in the arm's colour unless several arms share them."""
    arms = list(dict.fromkeys(mean.arm for mean in means if mean.runs))
    pairs = {(effect.arm, effect.other) for effect in effects}
    owners = {arm: sorted(own for own, twin in pairs if twin == arm) for arm in arms}
    trained = [arm for arm in arms if not owners[arm]]
    colours = {arm: COLOURS[i % len(COLOURS)] for i, arm in enumerate(trained)}
    greys = iter(GREYS * len(arms))
    for arm in arms:
        if owners[arm]:
            own = len(owners[arm]) == 1 and owners[arm][0] in colours
            colours[arm] = colours[owners[arm][0]] if own else next(greys)
    return [
        Line(
            arm,
            colours[arm],
            marker_of(trained.index(arm)) if arm in trained else "o",
            bool(owners[arm]),
            [(m.train_patients, m.scores[metric.key]) for m in means if m.arm == arm and m.runs],
            [(e.train_patients, e.effect) for e in effects if e.arm == arm and e.verdict],
        )
        for arm in arms
    ]


def _ticks(means: Sequence[Mean]) -> dict[float, str]:
    """Labelled patients → the fractions' names, for all with a finished cell."""
    names: dict[float, list[str]] = {}
    for mean in means:
        if mean.runs and mean.where.fraction not in names.setdefault(mean.train_patients, []):
            names[mean.train_patients].append(mean.where.fraction)
    return {patients: ", ".join(names[patients]) for patients in sorted(names)}


def _compose(
    figure: "MplFigure", title: str, lines: Sequence[Line], ticks: dict[float, str], metric: Metric,
    margin: float,
) -> None:  # fmt: skip
    compared = [line for line in lines if line.effects]
    heights, bottom = ([2.2, 1], 0.135) if compared else ([1], 0.19)
    axes = panels(figure, title, metric.label, heights, bottom)
    draw_scores(axes[0], lines)
    if compared:
        width = np.log10(max(ticks) / min(ticks)) or 0.4
        _effects(axes[1], compared, margin, width)
        axes[1].set_ylabel(f"arm − twin{f' ({metric.unit})' if metric.unit else ''}")
    for panel in axes:
        panel.tick_params(length=3)
    written = {patients: f"{patients:g}\n{name}" for patients, name in ticks.items()}
    log_axis(axes[-1], written, 0.04 + DODGE * len(compared) / 2, "labelled patients")
    figure.align_ylabels(axes)
    draw_names(axes[0], lines, lowest=-0.1)


def _effects(axes: "Axes", lines: Sequence[Line], margin: float, width: float) -> None:
    """Effects with intervals, side by side; `width` is the axis' in powers of ten."""
    axes.axhspan(-margin, margin, color=FAINT, alpha=0.55, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    for i, line in enumerate(lines):
        shift = (i - (len(lines) - 1) / 2) * DODGE * width
        x = np.array([point for point, _ in line.effects]) * 10**shift
        mean, low, high = np.array([found for _, found in line.effects]).T
        axes.vlines(x, low, high, color=line.colour, linewidth=1.4)
        axes.plot(
            x, mean, color=line.colour, marker=line.marker, markersize=5, linestyle="none",
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    axes.annotate(
        "practically\nequivalent", xy=(1, 0), xycoords=("axes fraction", "data"), xytext=(6, 0),
        textcoords="offset points", fontsize=7, color="#6e6e6e", va="center",
    )  # fmt: skip
