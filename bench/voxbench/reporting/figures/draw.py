"""The figures of a report: curves of each task, and of each scale of pre-training."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from voxbench.analyses.effects import Effect
from voxbench.analyses.groups import Where
from voxbench.analyses.means import Mean
from voxbench.design.cell import DIRECT
from voxbench.reporting.figures.curve import draw_curve
from voxbench.reporting.figures.scale import draw_scale
from voxbench.reporting.figures.style import PAGE
from voxbench.reporting.names import slug, stem
from voxbench.stats.metric import Metric

Recipes = Mapping[tuple[str, str], str]
"""(task, setting) → what tells its recipe from the task's others, in words."""


class Figure(NamedTuple):
    """A drawing of one task and setting: what it shows, and its files, the SVG first."""

    task: str
    setting: str
    title: str
    paths: list[Path]


class _Content(NamedTuple):
    """What one figure shows, its title, and the names of its file beside the task's others."""

    where: Where
    title: str
    names: list[str]
    means: list[Mean]
    effects: list[Effect]


def draw_figures(
    means: Sequence[Mean], effects: Sequence[Effect], metric: Metric, margin: float, folder: Path,
    recipes: Recipes, width: float = PAGE,
) -> list[Figure]:  # fmt: skip
    """Write all figures into a folder, curves so many inches wide.

    A data-efficiency curve for each task, and one for each adaptation and setting where these
    differ; a scale curve for each fraction too, where arms differ in their volumes. Direct
    inference, which learns from no case, is no point of a curve; nor are imported scores of an
    unknown number of labelled patients.
    """
    made = []
    learnt = [m for m in means if m.where.adaptation not in DIRECT and m.train_patients != 0]
    for where, title, names, own, found in _contents(learnt, effects, recipes, by_fraction=False):
        path = folder / slug("-".join(["curve", *names, metric.key]))
        paths = draw_curve(title, own, found, metric, margin, path, width)
        heading = f"Score and effect by labelled patients: {title}"
        made.append(Figure(where.task, where.setting, heading, paths))
    for where, title, names, own, found in _contents(means, effects, recipes, by_fraction=True):
        path = folder / stem("scale", *names, metric.key)
        paths = draw_scale(title, own, found, metric, path)
        heading = f"Score by amount of pre-training: {title}"
        made.append(Figure(where.task, where.setting, heading, paths))
    return [figure for figure in made if figure.paths]


def _contents(
    means: Sequence[Mean], effects: Sequence[Effect], recipes: Recipes, by_fraction: bool
) -> Iterator[_Content]:
    def shared(row: Mean | Effect) -> Where:
        return row.where if by_fraction else row.where._replace(fraction="")

    wheres = list(dict.fromkeys(map(shared, means)))
    for where in wheres:
        several = len({other.setting for other in wheres if other.task == where.task}) > 1
        names = list(filter(None, [where.task, where.scope.adapted, where.fraction]))
        recipe = recipes.get((where.task, where.setting)) or where.setting
        yield _Content(
            where,
            " · ".join([*names, recipe] if several else names),
            [*names, where.setting] if several else names,
            [mean for mean in means if shared(mean) == where],
            [effect for effect in effects if shared(effect) == where],
        )
