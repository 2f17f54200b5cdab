"""Score and effect of each strategy against the labelled patients, as small multiples."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voxbench.analyses.effects import Effect
from voxbench.analyses.means import Mean
from voxbench.analyses.table import Table
from voxbench.files import write_atomically
from voxbench.reporting.figures.lines import log_axis
from voxbench.reporting.figures.style import (
    COLOURS,
    FAINT,
    INK,
    PAGE,
    marker_of,
    new_figure,
    save_figure,
)
from voxbench.reporting.people import ArmName, arm_names
from voxbench.reporting.printer import as_csv
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MplFigure

TWIN = "#6e6e6e"
DODGE = 0.035  # of the axis, between neighbours
_LEAST = 2.2  # inches across a panel

Points = list[tuple[float, Interval]]


class Series(NamedTuple):
    """An arm, or the twin in grey: its scores, and its effects where it has a twin."""

    name: str
    colour: str
    marker: str
    scores: Points
    effects: Points


class Panel(NamedTuple):
    """The arms of one strategy, their twins first."""

    title: str
    series: list[Series]


def draw_curve(
    title: str, means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, margin: float,
    stem: Path, width: float = PAGE,
) -> list[Path]:  # fmt: skip
    """Write `<stem>.svg`, `.png` and what they show as `.csv`; nothing if no arm has a score.

    A panel for each strategy, with its arms' twins in grey: scores above, arm − twin below. The
    means and effects are those of one task; `width` is in inches. The same input gives the same
    bytes.
    """
    drawn = [mean for mean in means if mean.runs]
    panels = _panels(drawn, effects, metric)
    if not panels:
        return []
    compared = any(series.effects for panel in panels for series in panel.series)
    columns = max(1, min(len(panels), int(width // _LEAST)))
    rows = -(-len(panels) // columns)
    with new_figure(rows * (3.6 if compared else 2.5) + 0.4, width) as figure:
        figure.suptitle(
            title, x=0.01, y=1 - 0.08 / figure.get_figheight(), ha="left", va="top", fontsize=10,
            fontweight="bold", color=INK,
        )  # fmt: skip
        _compose(figure, panels, (rows, columns), _ticks(drawn), metric, margin, compared)
        files = save_figure(figure, stem)
    values = stem.with_name(f"{stem.name}.csv")
    write_atomically(values, as_csv(_values(drawn, effects, metric)))
    return [*files, values]


def _values(means: Sequence[Mean], effects: Sequence[Effect], metric: Metric) -> Table:
    """What a curve shows, a row a point."""
    known = {(effect.where, effect.arm): effect for effect in effects if effect.verdict}
    rows = []
    for mean in means:
        effect = known.get((mean.where, mean.arm))
        score, gain = mean.scores[metric.key], effect.effect if effect else UNDEFINED
        rows.append({
            "arm": mean.arm, "against": effect.other if effect else "", **mean.where.told,
            "train_patients": mean.train_patients,
            **dict(zip(("mean", "low", "high"), score, strict=True)),
            **dict(zip(("effect", "effect_low", "effect_high"), gain, strict=True)),
            "verdict": effect.verdict if effect else "",
        })  # fmt: skip
    return Table.plain(rows)


def _panels(means: Sequence[Mean], effects: Sequence[Effect], metric: Metric) -> list[Panel]:
    """By the title of their names; arms that nobody is twin of and that have none stand alone."""
    names = arm_names(mean.arm for mean in means)
    others: dict[str, set[str]] = defaultdict(set)
    for effect in effects:
        others[effect.arm].add(effect.other)
    twins = set().union(*others.values()) if others else set()
    families: dict[str, list[str]] = defaultdict(list)
    for arm in names:
        if arm not in twins:
            families[names[arm].title].append(arm)
    if not families:  # twins whose arms have all failed
        families = {names[arm].title: [arm] for arm in names}
    return [
        Panel(family, _series(arms, others, names, means, effects, metric))
        for family, arms in families.items()
    ]


def _series(
    arms: Sequence[str], others: Mapping[str, set[str]], names: Mapping[str, ArmName],
    means: Sequence[Mean], effects: Sequence[Effect], metric: Metric,
) -> list[Series]:  # fmt: skip
    twins = sorted({twin for arm in arms for twin in others.get(arm, ()) if twin in names})
    made = [Series(str(names[twin]), TWIN, "o", _scores(twin, means, metric), []) for twin in twins]
    for place, (arm, colour) in enumerate(zip(arms, itertools.cycle(COLOURS), strict=False)):
        gains = [(e.train_patients, e.effect) for e in effects if e.arm == arm and e.verdict]
        name = names[arm].detail or names[arm].title
        made.append(Series(name, colour, marker_of(place), _scores(arm, means, metric), gains))
    return made


def _scores(arm: str, means: Sequence[Mean], metric: Metric) -> Points:
    return [(mean.train_patients, mean.scores[metric.key]) for mean in means if mean.arm == arm]


def _ticks(means: Sequence[Mean]) -> dict[float, str]:
    """Labelled patients → how they are told, for all with a finished cell."""
    return {patients: f"{patients:g}" for patients in sorted({m.train_patients for m in means})}


def _compose(
    figure: "MplFigure", panels: Sequence[Panel], grid: tuple[int, int], ticks: dict[float, str],
    metric: Metric, margin: float, compared: bool,
) -> None:  # fmt: skip
    """Lay the panels out row by row; places that are left stay empty."""
    rows, columns = grid
    heights = [2.0, 1.0] if compared else [1.0]
    axes = figure.subplots(
        rows * len(heights), columns, sharex=True, sharey="row", squeeze=False,
        gridspec_kw={"height_ratios": heights * rows},
    )  # fmt: skip
    places = axes.reshape(rows, len(heights), columns).swapaxes(1, 2).reshape(rows * columns, -1)
    log_axis(axes[0, 0], ticks, 0.12)  # which all share
    for place, (panel, own) in enumerate(zip(panels, places, strict=False)):
        _draw(own, panel, margin, np.log10(max(ticks) / min(ticks)) or 0.4)
        if place % columns == 0:
            for part, label in zip(own, (metric.label, "arm − twin"), strict=False):
                part.set_ylabel(label)
        if place + columns >= len(panels):
            own[-1].set_xlabel("labelled patients")
    for empty in places[len(panels) :].flat:
        empty.set_visible(False)
    _fit(figure, rows * len(heights), columns)


def _fit(figure: "MplFigure", rows: int, columns: int) -> None:
    """Room for what is written around the axes, in inches; to measure it takes as long as to draw.

    Ticks and labels stand to the left, the title above, a panel's title and ticks between.
    """
    width, height = figure.get_size_inches()
    left, right, top, bottom, beside, between = 0.75, 0.08, 0.5, 0.45, 0.17, 0.38
    across = (width - left - right - (columns - 1) * beside) / columns
    down = (height - top - bottom - (rows - 1) * between) / rows
    figure.subplots_adjust(
        left / width, bottom / height, 1 - right / width, 1 - top / height,
        wspace=beside / across, hspace=between / down,
    )  # fmt: skip


def _draw(own: Sequence["Axes"], panel: Panel, margin: float, width: float) -> None:
    """Scores, and effects beneath them if there is a second one of axes."""
    # without y its place is looked for among all ticks, whenever it is drawn
    own[0].set_title(panel.title, loc="left", y=1.0, fontsize=8.5, color=INK)
    _points(own[0], [(one, one.scores) for one in panel.series], width, joined=True)
    own[0].legend(frameon=False, fontsize=6.5, loc="lower right", handletextpad=0.3)
    for below in own[1:]:
        below.axhspan(-margin, margin, color=FAINT, alpha=0.55, linewidth=0)
        below.axhline(0, color=INK, linewidth=0.8)
        _points(below, [(one, one.effects) for one in panel.series], width)
    for part in own:
        part.grid(axis="y", color=FAINT, linewidth=0.5)
        part.set_axisbelow(True)
        part.tick_params(length=3, labelsize=7.5, labelbottom=part is own[-1])


def _points(
    axes: "Axes", series: Sequence[tuple[Series, Points]], width: float, joined: bool = False
) -> None:
    """Dodged points with their intervals; `width` is the axis' in powers of ten."""
    shown = [(one, points) for one, points in series if points]
    for place, (one, points) in enumerate(shown):
        shift = (place - (len(shown) - 1) / 2) * DODGE * width
        x = np.array([point for point, _ in points]) * 10**shift
        mean, low, high = np.array([found for _, found in points]).T
        axes.vlines(x, low, high, color=one.colour, linewidth=1.2)
        axes.plot(
            x, mean, color=one.colour, marker=one.marker, markersize=4,
            linewidth=0.8 if joined else 0, alpha=0.9, markeredgecolor="white",
            markeredgewidth=0.4, label=one.name,
        )  # fmt: skip
