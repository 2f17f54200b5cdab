"""What doubt is worth, drawn: risk against coverage, reliability, and whether kinds separate."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.figures import What, failures
from voxbench.analyses.uncertainty.findings import Findings
from voxbench.analyses.uncertainty.separation import Separation
from voxbench.reporting.figures.style import (
    COLOURS,
    FAINT,
    INK,
    marker_of,
    new_figure,
    save_figure,
)
from voxbench.reporting.names import stem
from voxbench.stats.arrays import Array
from voxbench.stats.interval import Interval
from voxbench.uncertainty.calibration import Reliability
from voxbench.uncertainty.failure import risk_coverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CURVE = What("failure detection", "1 − Dice", "predictive_entropy", "image mean")
_MOST = 12  # lines of a panel
_NAME = 0.17  # inches of a line of the legend


class DoubtFigure(NamedTuple):
    """A drawing of one task, or of all: "" then."""

    task: str
    title: str
    paths: list[Path]


def draw_doubt(found: Findings, folder: Path) -> list[DoubtFigure]:
    """Curves of each task and fraction, and the separation of all; the same bytes for the same."""
    wheres = list(dict.fromkeys(doubt.where for doubt in found.doubts))
    made = [_draw_curves(w, [d for d in found.doubts if d.where == w], folder) for w in wheres]
    if found.separations:
        paths = _draw_separation(found.separations, folder / "doubt-separation")
        made.append(DoubtFigure("", "Are the two kinds of uncertainty told apart?", paths))
    return [figure for figure in made if figure.paths]


def _draw_curves(where: Where, doubts: Sequence[Doubt], folder: Path) -> DoubtFigure:
    """Risk against coverage, and reliability, of the first arms and models."""
    shown = doubts[:_MOST]
    title = str(where)
    path = folder / stem("doubt", where.task, where.fraction, where.adaptation, where.setting)
    left = f" (the first {_MOST})" if len(doubts) > _MOST else ""
    heading = f"Risk against coverage, and reliability{left}: {title}"
    with new_figure(3.1 + _NAME * len(shown)) as figure:
        risk, bins = figure.subplots(1, 2)
        drawn = [
            [_line(axes, doubt, number, of) for number, doubt in enumerate(shown)]
            for axes, of in ((risk, _selective), (bins, _reliability))
        ]
        if not any(map(any, drawn)):
            return DoubtFigure(where.task, heading, [])
        bins.plot((0, 1), (0, 1), color=FAINT, linewidth=1, zorder=0)
        _named(risk, "coverage: share of cases that are kept", "mean 1 − Dice of those kept")
        _named(bins, "mean probability of the predicted class", "share of voxels that are right")
        risk.set_ylim(bottom=0)
        bins.set_ylim(0, 1)
        handles, names = (risk if any(drawn[0]) else bins).get_legend_handles_labels()
        figure.suptitle(title, fontsize=10)
        figure.legend(handles, names, loc="lower center", frameon=False, fontsize=7)
        top = 2.9 / (3.1 + _NAME * len(shown))
        figure.tight_layout(rect=(0, 1 - top, 1, 1))
        return DoubtFigure(where.task, heading, save_figure(figure, path))


def _named(axes: "Axes", x: str, y: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _line(
    axes: "Axes", doubt: Doubt, number: int, of: Callable[[Doubt], tuple[Array, Array] | None]
) -> bool:
    """Draw one, if there is anything to draw."""
    found = of(doubt)
    if found is None:
        return False
    axes.plot(
        *found,
        color=COLOURS[number % len(COLOURS)],
        marker=marker_of(number),
        markersize=3,
        markevery=max(1, len(found[0]) // 10),
        linewidth=1.2,
        label=f"{doubt.arm}, {doubt.label}",
    )
    return True


def _selective(doubt: Doubt) -> tuple[Array, Array] | None:
    """Coverage and risk, (case,) each, mean over runs, by the image's mean predictive entropy."""
    curves = []
    for record in doubt.runs.values():
        for what, scored in failures(record):
            if what == _CURVE:
                score, risk, _ = scored.defined
                curves.append(risk_coverage(risk, -score))
    sizes = {len(coverage) for coverage, _ in curves}
    if len(sizes) != 1 or sizes == {0}:
        return None
    return curves[0][0], np.mean([risk for _, risk in curves], axis=0)


def _reliability(doubt: Doubt) -> tuple[Array, Array] | None:
    """Confidence and accuracy, (bin,) each, of those that are not empty; all cases and runs."""
    cases = [case for record in doubt.runs.values() for case in record.test if case.reliability]
    if not cases:
        return None
    bins = Reliability(*np.sum([np.array(case.reliability) for case in cases], axis=0))
    full = bins.trials > 0
    return bins.confidence[full], bins.accuracy[full]


def _draw_separation(rows: Sequence[Separation], path: Path) -> list[Path]:
    """Both differences of each arm and model; what was not asked lies on the axis."""
    with new_figure(3.6 + _NAME * len(rows)) as figure:
        axes = figure.subplots()
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
        for number, row in enumerate(rows):
            x, y = np.nan_to_num([row.raters.mean, row.shifts.mean])
            axes.errorbar(
                x, y, xerr=_arms(row.raters), yerr=_arms(row.shifts),
                color=COLOURS[number % len(COLOURS)], marker=marker_of(number), markersize=4,
                linewidth=0.8, label=f"{row.where.task}, {row.arm}, {row.model}: {row.verdict}",
            )  # fmt: skip
        axes.set_xlabel("aleatoric follows raters more: NCC, aleatoric − epistemic")
        axes.set_ylabel("AUROC of shifts,\nepistemic − aleatoric")
        axes.text(
            0.99, 0.97, "separates", ha="right", va="top", color=INK, transform=axes.transAxes
        )
        figure.legend(loc="lower center", frameon=False, fontsize=7)
        top = 3.4 / (3.6 + _NAME * len(rows))
        figure.tight_layout(rect=(0, 1 - top, 1, 1))
        return save_figure(figure, path)


def _arms(interval: Interval) -> Array:
    """How far an interval reaches below and above its mean, (2, 1); 0 where it has no ends."""
    mean, low, high = interval
    return np.nan_to_num([[mean - low], [high - mean]])
