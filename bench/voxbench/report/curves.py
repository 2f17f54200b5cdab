"""The data-efficiency curve of a task: score and effect against the labelled patients."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.effects import Effect, Mean
from voxbench.files import write_atomically
from voxbench.stats.interval import Interval
from voxbench.stats.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which stay apart under colour blindness and in print; no yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
GREYS = ("#4d4d4d", "#8c8c8c", "#6e6e6e", "#a6a6a6")
INK, FAINT = "#262626", "#d9d9d9"
DODGE = 0.022  # of the axis, between the effects of neighbouring arms
WRAP = 40  # characters of an arm's fields beside the axes

STYLE: dict[str, Any] = {
    "svg.hashsalt": "voxbench",  # else the names inside an SVG are random
    "svg.fonttype": "path",
    "text.parse_math": False,  # names of arms are no formulas
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
}


class Line(NamedTuple):
    """One arm: its points, and its effects against the twin where it has one."""

    arm: str
    colour: str
    marker: str
    dashed: bool
    points: list[tuple[float, Interval]]
    effects: list[tuple[float, Interval]]


def draw(
    title: str, means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, margin: float,
    stem: Path,
) -> list[Path]:  # fmt: skip
    """Write `<stem>.svg` and `<stem>.png`; nothing if no arm has a score.

    The means and effects are those of one task. The same input gives the same bytes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    lines = _lines(means, effects, metric)
    if not lines:
        return []
    least = 4.6 if any(line.effects for line in lines) else 3.2
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=(7.2, max(least, height(lines))))
        _compose(figure, title, lines, _ticks(means), metric, margin)
        return save(figure, stem)


def height(lines: Sequence[Line]) -> float:
    """Inches that a figure needs for the names of its lines."""
    return sum(_inches(line.arm) for line in lines) / 0.55


def save(figure: "Figure", stem: Path) -> list[Path]:
    """Write `<stem>.svg` and `<stem>.png`, without a date."""
    paths = []
    for ending, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 200})):
        content = io.BytesIO()
        figure.savefig(content, format=ending, **options)
        paths.append(stem.with_name(f"{stem.name}.{ending}"))
        write_atomically(paths[-1], content.getvalue())
    return paths


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
            alone = len(owners[arm]) == 1 and owners[arm][0] in colours
            colours[arm] = colours[owners[arm][0]] if alone else next(greys)
    return [
        Line(
            arm,
            colours[arm],
            marker_of(trained.index(arm)) if arm in trained else "o",
            bool(owners[arm]),
            [(m.train_patients, m.scores[metric.key]) for m in means if m.arm == arm and m.runs],
            [
                (e.train_patients, Interval(e.effect, e.low, e.high))
                for e in effects
                if e.arm == arm and e.verdict
            ],
        )
        for arm in arms
    ]


def marker_of(place: int) -> str:
    """The marker of an arm: where colours begin again, they meet other markers."""
    return MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]


def _ticks(means: Sequence[Mean]) -> dict[float, str]:
    """Labelled patients → the fractions' names, for all with a finished cell."""
    names: dict[float, list[str]] = {}
    for mean in means:
        if mean.runs and mean.fraction not in names.setdefault(mean.train_patients, []):
            names[mean.train_patients].append(mean.fraction)
    return {patients: ", ".join(names[patients]) for patients in sorted(names)}


def _compose(
    figure: "Figure", title: str, lines: Sequence[Line], ticks: dict[float, str], metric: Metric,
    margin: float,
) -> None:  # fmt: skip
    compared = [line for line in lines if line.effects]
    heights = [2.2, 1] if compared else [1]
    axes = figure.subplots(
        len(heights), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    low = 0.135 if compared else 0.19
    figure.subplots_adjust(left=0.105, right=0.66, top=0.91, bottom=low, hspace=0.14)
    scores(axes[0], lines)
    if compared:
        width = np.log10(max(ticks) / min(ticks)) or 0.4
        _effects(axes[1], compared, margin, width)
        axes[1].set_ylabel(f"arm − twin{f' ({metric.unit})' if metric.unit else ''}")
    for panel in axes:
        panel.grid(axis="y", color=FAINT, linewidth=0.6)
        panel.set_axisbelow(True)
        panel.tick_params(length=3)
    axes[0].set_ylabel(metric.label)
    axes[0].set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)
    written = {patients: f"{patients:g}\n{name}" for patients, name in ticks.items()}
    log_axis(axes[-1], written, 0.04 + DODGE * len(compared) / 2, "labelled patients")
    figure.align_ylabels(axes)
    names(axes[0], lines, lowest=-0.1)


def scores(axes: "Axes", lines: Sequence[Line]) -> None:
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


def _effects(axes: "Axes", lines: Sequence[Line], margin: float, width: float) -> None:
    """Effects with intervals, side by side; `width` is the axis' in powers of ten."""
    axes.axhspan(-margin, margin, color=FAINT, alpha=0.55, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    for place, line in enumerate(lines):
        shift = (place - (len(lines) - 1) / 2) * DODGE * width
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


def log_axis(axes: "Axes", ticks: dict[float, str], pad: float, label: str) -> None:
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


def names(axes: "Axes", lines: Sequence[Line], lowest: float) -> None:
    """Name each line beside its end, moved apart where names would overlap.

    Heights are in fractions of the axes, the names between `lowest` and 1.
    """
    ends = np.array([line.points[-1][1].mean for line in lines])
    low, high = axes.get_ylim()
    heights = (ends - low) / (high - low)
    written = [_two_lines(line.arm) for line in lines]
    inches = axes.bbox.height / axes.figure.dpi
    room = np.array([_inches(line.arm) for line in lines]) / inches
    places = _apart(heights, room, lowest)
    for line, (name, fields), start, at in zip(lines, written, heights, places, strict=True):
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


def _apart(
    heights: NDArray[np.float64], room: NDArray[np.float64], lowest: float
) -> NDArray[np.float64]:
    """Places in `lowest`…1 near the heights, in the same order, each with its room below.

    Halfway between pushing all up from the lowest and pushing all down from the highest. If
    there is too little place, the room is scaled down.
    """
    order = np.argsort(heights, kind="stable")
    steps = np.cumsum(room[order]) - room[order[0]]
    steps *= min(1.0, (1 - lowest) / max(steps[-1], 1e-9))
    wanted = heights[order] - steps
    pushed_up = np.maximum.accumulate(wanted)
    pushed_down = np.minimum.accumulate(wanted[::-1])[::-1]
    found: NDArray[np.float64] = np.empty_like(wanted)
    found[order] = np.clip((pushed_up + pushed_down) / 2, lowest, 1 - steps[-1]) + steps
    return found
