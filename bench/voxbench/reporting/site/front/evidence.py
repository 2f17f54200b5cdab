"""What a front page tells by one metric: scores, effects and worth of all arms, and leagues."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from voxbench.analyses.cost import Offer, frontier
from voxbench.analyses.curves import learning_curves
from voxbench.analyses.effects import Effect
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.label_efficiency import Worth, worth
from voxbench.analyses.pairing import twins
from voxbench.analyses.races.declaration import races_in
from voxbench.analyses.races.results import raced_effects
from voxbench.analyses.ranks.league import League
from voxbench.analyses.ranks.leagues import task_leagues
from voxbench.reporting.people import ArmName, few
from voxbench.reporting.site.material import ArmResult, Material
from voxbench.stats.metric import Metric

UNHINDERED = ("full", "full, tuned", "tuned")
"""The adaptations whose random start trains all of itself, or was tuned to what serves it best."""
Key = tuple[Where, str]
"""Where an arm was run, and its label."""


class Evidence(NamedTuple):
    """What was measured and decided by one metric; smoke runs are no part of it.

    Attributes:
        margin: of practical equivalence, in the metric's unit.
        results: every arm at every fraction of every task.
        effects: against the scratch twin; their family is all comparisons of the report.
        worth: in labels.
        leagues: of the arms that may be ranked with each other.
        offers: what each arm gives for its cost.
        names: of the arms, for people.
        structures: what each task segments, for people.
        recipes: (task, setting) → what tells it from the task's others.
        pages: of the results, from the root of the site.
    """

    metric: Metric
    margin: float
    results: list[ArmResult]
    effects: Mapping[Key, Effect]
    worth: Mapping[Key, Worth]
    leagues: Mapping[Where, League]
    offers: Sequence[Offer]
    names: Mapping[str, ArmName]
    pages: Mapping[Key, str]
    structures: Mapping[str, str]
    recipes: Mapping[tuple[str, str], str]

    def recipe(self, where: Where) -> str:
        """How arms were trained there, as far as it tells them from others of their task."""
        told = where.scope.adapted, self.recipes[where.task, where.setting]
        return ", ".join(filter(None, told))

    @property
    def controls(self) -> set[Key]:
        """The arms that are no pre-training."""
        return {
            (result.group.where, result.group.arm) for result in self.results
            if result.records[0].arm.strategy == "control"
        }  # fmt: skip

    @property
    def groups(self) -> list[Group]:
        """The same as arms."""
        return [result.group for result in self.results]


def gather_evidence(material: Material, metric: Metric) -> Evidence:
    """By the primary metric as the report decided it, by another as a family of its own."""
    report = material.report
    if metric == report.metric:
        margin, found = report.margin, report.effects
        leagues = {r.group.where: r.league for r in material.results if r.league}
        worths = report.worths
    else:
        margin, pairs = metric.margin, twins(report.groups, metric)
        found = raced_effects(pairs, races_in(material.store.root), report.records, margin)
        leagues = task_leagues(report.groups, metric, margin)
        curves = [own for own in learning_curves(pairs) if len(own.labels) > 1]
        worths = [row for own in curves for row in worth(own)]
    results = [result for result in material.results if not result.group.smoke]
    kept = {(result.group.where, result.group.arm) for result in results}
    return Evidence(
        metric,
        margin,
        results,
        {(own.where, own.arm): own for own in found if (own.where, own.arm) in kept},
        {(row.where, row.arm): row for row in worths if (row.where, row.arm) in kept},
        leagues,
        frontier([result.group for result in results], metric),
        material.names,
        {(result.group.where, result.group.arm): result.page for result in results},
        {task: _structures(material.of_task(task)) for task in material.tasks},
        report.recipes,
    )


def in_use(where: Where) -> tuple[bool, str]:
    """So that the usual adaptation comes before tuned ones, and these before the frozen one."""
    return where.adaptation not in UNHINDERED, where.scope.adapted


def _structures(results: Sequence[ArmResult]) -> str:
    known = dict.fromkeys(name for result in results for name in result.group.classes)
    return few([name.replace("_", " ") for name in known])
