"""The critical-difference diagram: mean ranks on a line, bars over arms that are not told apart."""

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voxbench.reporting.figures.style import INK, PAGE, new_figure, save_figure
from voxbench.reporting.people import arm_names
from voxbench.stats.friedman import Friedman

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRAP = 30  # characters of a name beside the axis
_SIDE = 0.33  # of the width, for the names of either side
_NAME, _MORE, _BAR, _TOP = 0.2, 0.125, 0.14, 0.62  # inches: a name, a further line of it, a bar


class _Label(NamedTuple):
    """An arm beside the axis: its mean rank, its wrapped name, and how far below the axis."""

    rank: float
    name: str
    depth: float


def draw_critical(test: Friedman, arms: tuple[str, ...], stem: Path) -> list[Path]:
    """Write `<stem>.svg` and `<stem>.png` in the form of Demšar 2006, figure 1.

    The axis runs over the ranks that there are, and is at least as long as the critical difference.
    The same input gives the same bytes.
    """
    bars = [group for group in test.groups if len(group) > 1]
    first = _BAR * (len(bars) + 1) + 0.1
    left, right = _labels(test, arms, first)
    depth = max(label.depth for label in [*left, *right]) + _NAME
    with new_figure(_TOP + depth) as figure:
        axes = figure.add_axes((_SIDE, 0, 1 - 2 * _SIDE, 1))
        axes.axis("off")
        low = math.floor(test.ranks.min())
        axes.set_xlim(low, math.ceil(max(test.ranks.max(), low + test.critical)))
        axes.set_ylim(depth, -_TOP)
        _draw_axis(axes, test)
        for row, bar in enumerate(bars, start=1):
            ends = test.ranks[bar[0]] - 0.03, test.ranks[bar[-1]] + 0.03
            axes.plot(ends, [_BAR * row] * 2, color=INK, linewidth=3, solid_capstyle="butt")
        for labels, at_left in ((left, True), (right, False)):
            for label in labels:
                _draw_label(axes, label, at_left)
        return save_figure(figure, stem)


def _labels(
    test: Friedman, arms: tuple[str, ...], first: float
) -> tuple[list[_Label], list[_Label]]:
    """The better half, best on top, and the others, worst on top, so that no two lines cross."""
    names = arm_names(arms)
    order = [int(arm) for arm in np.argsort(test.ranks, kind="stable")]
    half = (len(order) + 1) // 2
    sides = []
    for side in (order[:half], order[half:][::-1]):
        depth, labels = first, []
        for arm in side:
            name = textwrap.fill(str(names[arms[arm]]), WRAP)
            depth += _MORE * name.count("\n") / 2
            labels.append(_Label(float(test.ranks[arm]), name, depth))
            depth += _MORE * name.count("\n") / 2 + _NAME
        sides.append(labels)
    return sides[0], sides[1]


def _draw_axis(axes: "Axes", test: Friedman) -> None:
    """Ranks, best on the left, and above them how far two arms must lie apart."""
    low, high = (int(end) for end in axes.get_xlim())
    axes.plot((low, high), (0, 0), color=INK, linewidth=1, clip_on=False)
    for tick in range(low, high + 1, 1 + (high - low) // 12):
        axes.plot((tick, tick), (0, -0.05), color=INK, linewidth=1, clip_on=False)
        axes.text(tick, -0.08, str(tick), ha="center", va="bottom", fontsize=8)
    ends = low, low + test.critical
    axes.plot(ends, (-0.34, -0.34), color=INK, linewidth=1, marker="|", clip_on=False)
    axes.text(
        low, -0.42, f"critical difference {test.critical:.2f}, {test.blocks} patients",
        ha="left", va="bottom", fontsize=7, color="#6e6e6e",
    )  # fmt: skip


def _draw_label(axes: "Axes", label: _Label, left: bool) -> None:
    low, high = axes.get_xlim()
    edge, side, towards = (low, "right", -1) if left else (high, "left", 1)
    unit = (high - low) / (PAGE * (1 - 2 * _SIDE))  # ranks an inch
    axes.plot(
        (label.rank, label.rank, edge + towards * 0.05 * unit), (0, label.depth, label.depth),
        color=INK, linewidth=0.7, clip_on=False,
    )  # fmt: skip
    style = {"ha": side, "va": "center", "fontsize": 7.5}
    axes.text(edge + towards * 0.08 * unit, label.depth, f"{label.rank:.2f}", **style)
    axes.text(edge + towards * 0.43 * unit, label.depth, label.name, multialignment=side, **style)
