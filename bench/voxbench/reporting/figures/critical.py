"""The critical-difference diagram: mean ranks on a line, bars over arms that are not told apart."""

from pathlib import Path
from typing import TYPE_CHECKING

from voxbench.reporting.figures.style import INK, new_figure, save_figure
from voxbench.reporting.people import arm_names
from voxbench.stats.friedman import Friedman

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = 0.24  # inches between names, and between bars


def draw_critical(test: Friedman, arms: tuple[str, ...], stem: Path) -> list[Path]:
    """Write `<stem>.svg` and `<stem>.png` in the form of Demšar 2006, figure 1.

    The same input gives the same bytes.
    """
    bars = [group for group in test.groups if len(group) > 1]
    rows = (len(arms) + 1) // 2 + len(bars) + 3
    with new_figure(_LINE * (rows + 2)) as figure:
        axes = figure.add_axes((0.36, 0.02, 0.28, 0.96))
        _compose(axes, test, arms, bars, rows)
        return save_figure(figure, stem)


def _compose(
    axes: "Axes", test: Friedman, arms: tuple[str, ...], bars: list[list[int]], rows: int
) -> None:
    """Heights are in lines from the top; ranks run from 1 on the left."""
    axes.set_xlim(0.8, len(arms) + 0.2)
    axes.set_ylim(rows + 0.5, -1.8)
    axes.axis("off")
    axes.plot((1, len(arms)), (0, 0), color=INK, linewidth=1, clip_on=False)
    for tick in range(1, len(arms) + 1, 1 + len(arms) // 12):
        axes.plot((tick, tick), (0, -0.25), color=INK, linewidth=1, clip_on=False)
        axes.text(tick, -0.4, str(tick), ha="center", va="bottom", fontsize=8)
    for row, bar in enumerate(bars, start=1):
        ends = [test.ranks[bar[0]] - 0.03, test.ranks[bar[-1]] + 0.03]
        axes.plot(ends, (0.6 * row, 0.6 * row), color=INK, linewidth=3, solid_capstyle="butt")
    names = arm_names(arms)
    order = sorted(range(len(arms)), key=lambda arm: float(test.ranks[arm]))
    first = 0.6 * len(bars) + 1.2
    half = (len(order) + 1) // 2
    for line, arm in enumerate(order):
        left = line < half
        height = first + (line if left else len(order) - 1 - line)
        end = 0.8 if left else len(arms) + 0.2
        rank = float(test.ranks[arm])
        axes.plot((rank, rank, end), (0, height, height), color=INK, linewidth=0.7, clip_on=False)
        name = f"{names[arms[arm]]}  {rank:.2f} " if left else f" {rank:.2f}  {names[arms[arm]]}"
        axes.text(end, height, name, ha="right" if left else "left", va="center", fontsize=7.5)
    axes.text(
        len(arms) + 0.2, -1.8, f"critical difference {test.critical:.2f}, {test.blocks} patients",
        ha="right", va="bottom", fontsize=7, color="#6e6e6e",
    )  # fmt: skip
