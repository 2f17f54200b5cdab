"""The pre-training scale curve of a task: transfer against the volumes that were pre-trained on."""

import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voxbench.analyses.effects import Effect
from voxbench.analyses.means import Mean
from voxbench.reporting.figures.lines import (
    Line,
    draw_names,
    draw_scores,
    log_axis,
    names_height,
    panels,
)
from voxbench.reporting.figures.style import COLOURS, GREYS, marker_of, new_figure, save_figure
from voxbench.stats.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VOLUMES = re.compile(r",volumes=[^,\]]*|volumes=[^,\]]*,?")


def family(arm: str) -> str:
    """The arm's label without its number of volumes."""
    return _VOLUMES.sub("", arm).replace("[]", "")


def draw_scale(
    title: str, means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, stem: Path
) -> list[Path]:
    """Write `<stem>.svg` and `<stem>.png`; nothing if no arm was pre-trained at two scales.

    Above the scores, with the scratch twins dashed; below the hours that the weights took. Means
    and effects are those of one task at one fraction. The same input gives the same bytes.
    """
    grown = _families(means)
    if not grown:
        return []
    lines = _lines(grown, metric)
    twins = _twins(grown, means, effects, metric)
    with new_figure(max(4.6, names_height([*lines, *twins]))) as figure:
        axes = panels(figure, title, metric.label, [2.2, 1], 0.115)
        draw_scores(axes[0], [*twins, *lines])
        _hours(axes[1], lines, grown)
        volumes = sorted({m.scale.volumes for found in grown.values() for m in found})
        log_axis(axes[1], {v: f"{v:g}" for v in volumes}, 0.05, "volumes pre-trained on")
        figure.align_ylabels(axes)
        draw_names(axes[0], [*twins, *lines], lowest=-0.1)
        return save_figure(figure, stem)


def _families(means: Sequence[Mean]) -> dict[str, list[Mean]]:
    """Arms that differ in their volumes alone, the fewest first."""
    found = defaultdict(list)
    for mean in means:
        if mean.runs and mean.scale.volumes > 0:
            found[family(mean.arm)].append(mean)
    return {
        name: sorted(members, key=lambda mean: mean.scale.volumes)
        for name, members in found.items()
        if len({mean.scale.volumes for mean in members}) > 1
    }


def _lines(grown: dict[str, list[Mean]], metric: Metric) -> list[Line]:
    return [
        Line(
            name,
            COLOURS[i % len(COLOURS)],
            marker_of(i),
            False,
            [(mean.scale.volumes, mean.scores[metric.key]) for mean in members],
        )
        for i, (name, members) in enumerate(grown.items())
    ]


def _twins(
    grown: dict[str, list[Mean]], means: Sequence[Mean], effects: Sequence[Effect], metric: Metric
) -> list[Line]:
    """The scratch twins, which no pre-training moves: level over all volumes."""
    arms = {mean.arm for members in grown.values() for mean in members}
    others = {effect.other for effect in effects if effect.arm in arms}
    volumes = [mean.scale.volumes for members in grown.values() for mean in members]
    ends = min(volumes), max(volumes)
    found = [mean for mean in means if mean.arm in others and mean.runs]
    return [
        Line(mean.arm, grey, "", True, [(v, mean.scores[metric.key]) for v in ends])
        for mean, grey in zip(found, itertools.cycle(GREYS), strict=False)
    ]


def _hours(axes: "Axes", lines: Sequence[Line], grown: dict[str, list[Mean]]) -> None:
    """Hours of pre-training: of the GPU where one was used, else of the processor."""
    accelerated = any(m.scale.gpu_hours for members in grown.values() for m in members)
    for line in lines:
        members = grown[line.arm]
        x = [mean.scale.volumes for mean in members]
        y = [mean.scale.gpu_hours if accelerated else mean.scale.cpu_hours for mean in members]
        axes.plot(x, y, color=line.colour, marker=line.marker, markersize=4, linewidth=1.2)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("GPU-hours" if accelerated else "CPU-hours")
