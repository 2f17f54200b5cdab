"""Lines of arms over a logarithmic axis: their scores with intervals, and their names beside."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voxbench.reporting.figures.style import FAINT, INK
from voxbench.stats.arrays import Array
from voxbench.stats.interval import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

WRAP = 40  # characters of an arm's fields beside the axes


class Line(NamedTuple):
    """One arm and its points."""

    arm: str
    colour: str
    marker: str
    dashed: bool
    points: list[tuple[float, Interval]]


def names_height(lines: Sequence[Line]) -> float:
    """Inches that a figure needs for the names of its lines."""
    return sum(_inches(line.arm) for line in lines) / 0.55


def panels(
    figure: "MplFigure", title: str, label: str, heights: Sequence[float], bottom: float
) -> list["Axes"]:
    """Axes above each other, of such heights, with room for names to the right."""
    axes = figure.subplots(
        len(heights), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    figure.subplots_adjust(left=0.105, right=0.66, top=0.91, bottom=bottom, hspace=0.14)
    for panel in axes:
        panel.grid(axis="y", color=FAINT, linewidth=0.6)
        panel.set_axisbelow(True)
    axes[0].set_ylabel(label)
    axes[0].set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)
    return list(axes)


def draw_scores(axes: "Axes", lines: Sequence[Line]) -> None:
    """Each line's means, with its intervals as a band."""
    for line in lines:
        x = [point for point, _ in line.points]
        mean, low, high = np.array([found for _, found in line.points]).T
        if len(x) > 1:
            axes.fill_between(x, low, high, color=line.colour, alpha=0.12, linewidth=0)
        else:
            axes.vlines(x, low, high, color=line.colour, linewidth=1.2)
        axes.plot(
            x, mean, color=line.colour, marker=line.marker, markersize=5.5, linewidth=1.6,
            linestyle=(0, (4, 2)) if line.dashed else "-",
            markerfacecolor="white" if line.dashed else line.colour,
            markeredgecolor=line.colour if line.dashed else "white",
            markeredgewidth=1.2 if line.dashed else 0.6, zorder=3,
        )  # fmt: skip


def log_axis(axes: "Axes", ticks: dict[float, str], pad: float, label: str = "") -> None:
    """Name the ticks of a log axis, with a share of `pad` on either side."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = min(ticks), max(ticks)
    factor = (high / low) ** pad if high > low else 1.6
    axes.set_xlim(low / factor, high * factor)
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels(list(ticks.values()))
    axes.set_xlabel(label)


def draw_names(axes: "Axes", lines: Sequence[Line], lowest: float) -> None:
    """Name each line beside its end, moved apart where names would overlap.

    Heights are in fractions of the axes, the names between `lowest` and 1.
    """
    ends = np.array([line.points[-1][1].mean for line in lines])
    low, high = axes.get_ylim()
    heights = (ends - low) / (high - low)
    written = [_two_lines(line.arm) for line in lines]
    inches = axes.bbox.height / axes.figure.dpi
    room = np.array([_inches(line.arm) for line in lines]) / inches
    moved = _apart(heights, room, lowest)
    for line, (name, fields), start, at in zip(lines, written, heights, moved, strict=True):
        axes.annotate(
            "", xy=(1.005, start), xytext=(1.055, at), xycoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": line.colour, "linewidth": 0.8,
                        "linestyle": "--" if line.dashed else "-", "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        axes.text(
            1.065, at, name, transform=axes.transAxes, color=line.colour, fontweight="bold",
            fontsize=8.5, va="bottom" if fields else "center",
        )  # fmt: skip
        axes.text(1.065, at, fields, transform=axes.transAxes, color=INK, fontsize=7, va="top")


def _two_lines(arm: str) -> tuple[str, str]:
    """`a[b=1,c=2]` as a name and its fields, which are wrapped."""
    name, _, fields = arm.partition("[")
    return name, textwrap.fill(fields.replace("]", "").replace(",", ", "), WRAP)


def _inches(arm: str) -> float:
    """How high a name with its fields is written."""
    _, fields = _two_lines(arm)
    return 0.19 + 0.125 * (fields.count("\n") + bool(fields))


def _apart(heights: Array, room: Array, lowest: float) -> Array:
    """Heights in `lowest`…1 near the heights, in the same order, each with its room below.

    Halfway between pushing all up from the lowest and pushing all down from the highest. If
    there is too little room, the room is scaled down.
    """
    order = np.argsort(heights, kind="stable")
    steps = np.cumsum(room[order]) - room[order[0]]
    steps *= min(1.0, (1 - lowest) / max(steps[-1], 1e-9))
    wanted = heights[order] - steps
    pushed_up = np.maximum.accumulate(wanted)
    pushed_down = np.minimum.accumulate(wanted[::-1])[::-1]
    found: Array = np.empty_like(wanted)
    found[order] = np.clip((pushed_up + pushed_down) / 2, lowest, 1 - steps[-1]) + steps
    return found
