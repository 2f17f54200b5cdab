"""What the pages are made of: every arm at every fraction of every task, with its records."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from voxbench.analyses.effects import Effect
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.means import Mean
from voxbench.analyses.ranks.league import League, RankRow
from voxbench.analyses.ranks.leagues import task_leagues
from voxbench.api import Task
from voxbench.design.cell import digest
from voxbench.records import Facts, Scored, Store
from voxbench.records.uncertainty import UncertaintyRecord
from voxbench.reporting.names import slug
from voxbench.reporting.people import ArmName, arm_names, with_source
from voxbench.reporting.report import Report
from voxbench.stats.metric import Metric

_OWN = 2  # parts of a link: a folder of a report or a run, and the file


@dataclass(frozen=True)
class ArmResult:
    """One arm at one fraction of one task.

    Attributes:
        group: its scores; mean: the same with intervals.
        records: its cells, finished or not.
        effect: against the scratch twin; None for scratch.
        recipe: what tells its recipe and data from the others of the task, in words.
        league: of its task, fraction and setting; None where there is nothing to rank.
    """

    group: Group
    mean: Mean
    records: Sequence[Scored]
    effect: Effect | None
    recipe: str
    league: League | None

    @property
    def rank(self) -> RankRow | None:
        """Its row of the league."""
        rows = self.league.rows if self.league else []
        return next((row for row in rows if row.arm == self.group.arm), None)

    @property
    def gaps(self) -> str:
        """What its league left out."""
        return "; ".join(self.league.board.left_out) if self.league else ""

    @property
    def page(self) -> str:
        """Its page, from the root of the site."""
        where = self.group.where
        return (
            f"results/{slug(where.task)}-{digest([*where.told.values(), self.group.arm])[:10]}.html"
        )

    @property
    def baseline(self) -> str:
        """The name of its plugin."""
        return baseline_of(self.records[0])

    @property
    def sourced(self) -> str:
        """Its label, with its source also where that is the default."""
        source = plugin_of(self.records[0], "baseline")[1].get("source")
        label = self.group.arm
        return with_source(label, source) if isinstance(source, str) else label

    @property
    def heading(self) -> str:
        """Task and fraction, with what else tells it from others."""
        where = self.group.where
        told = where.task, where.fraction, where.scope.adapted, self.recipe
        return " · ".join(filter(None, told))


@dataclass(frozen=True)
class Material:
    """Everything that pages tell.

    Attributes:
        report: what was found and written.
        store: the records; site: the folder of the pages.
        results: in the order of the groups.
        public: only cases that are generated or under an open licence are pictured.
        tasks_here: name → task whose data a sweep says where to find.
    """

    report: Report
    store: Store
    site: Path
    results: list[ArmResult]
    public: bool
    tasks_here: Mapping[str, Task]

    @property
    def metric(self) -> Metric:
        """That effects, ranks and distributions speak of."""
        return self.report.metric

    @property
    def out(self) -> Path:
        """The report's folder."""
        return self.report.page.parent

    def result(self, where: Where, arm: str) -> ArmResult | None:
        """That of an arm."""
        return self._index.get((where, arm))

    def link_of(self, row: Any) -> str:
        """The page behind a row of a table that has task, adaptation, fraction, setting and arm."""
        where = Where(**{name: row[name] for name in Where._fields if name in row})
        found = self.result(where, row["arm"])
        return found.page if found else ""

    @cached_property
    def _index(self) -> dict[tuple[Where, str], ArmResult]:
        return {(result.group.where, result.group.arm): result for result in self.results}

    @cached_property
    def doubted(self) -> dict[str, list[tuple[str, UncertaintyRecord]]]:
        """Key of a cell → what predicted its cases again: the model's label, and its record."""
        found: dict[str, list[tuple[str, UncertaintyRecord]]] = defaultdict(list)
        for doubt in self.report.doubt.doubts:
            for record in doubt.runs.values():
                for key in record.cells:
                    found[key].append((doubt.label, record))
        return found

    @cached_property
    def names(self) -> dict[str, ArmName]:
        """Label of an arm → its name for people, with what its weights were made of."""
        labels = {result.group.arm: result.sourced for result in self.results}
        names = arm_names(labels.values())
        return {label: names[sourced] for label, sourced in labels.items()}

    def of_task(self, task: str) -> list[ArmResult]:
        """The results on a task."""
        return [result for result in self.results if result.group.where.task == task]

    @property
    def tasks(self) -> list[str]:
        """Names, sorted."""
        return sorted({result.group.where.task for result in self.results})

    @property
    def baselines(self) -> list[str]:
        """Names of plugins, sorted."""
        return sorted({result.baseline for result in self.results})

    def href(self, path: Path) -> str:
        """A file as a link from the root of the site.

        "" on public pages where the link would name folders that voxbench did not make.
        """
        return self._link(path, _OWN)

    def _link(self, path: Path, own: int) -> str:
        """As `href`, where so many parts of a link are voxbench's own."""
        link = Path(os.path.relpath(path, self.site))
        named = [part for part in link.parts if part != ".."]
        return "" if self.public and len(named) > own else quote(link.as_posix())

    def record(self, key: str) -> str:
        """The JSON of a record as a link from the root of the site."""
        path = self.store.path(key)
        return self._link(path, len(path.relative_to(self.store.root).parts))

    def downloads(self, name: str, folder: Path) -> list[tuple[str, str]]:
        """A table's files as (name, link)."""
        kinds = (("CSV", "csv"), ("LaTeX", "tex"), ("Markdown", "md"))
        links = [(kind, self.href(folder / f"{name}.{ending}")) for kind, ending in kinds]
        return [(kind, href) for kind, href in links if href]


def gather(
    report: Report, store: Store, site: Path, public: bool, tasks: Mapping[str, Task] | None = None
) -> Material:
    """Put the parts of a report together by arm."""
    effects = {(effect.where, effect.arm): effect for effect in report.effects}
    leagues = task_leagues(report.groups, report.metric, report.margin)
    results = []
    for group, mean in zip(report.groups, report.means, strict=True):
        key = group.where, group.arm
        records = sorted(report.members[key], key=lambda record: (record.arm.draw, record.arm.seed))
        recipe = report.recipes[group.where.task, group.where.setting]
        league = leagues.get(group.where)
        results.append(ArmResult(group, mean, records, effects.get(key), recipe, league))
    return Material(report, store, site, results, public, tasks or {})


def plugin_of(record: Facts, part: str) -> tuple[str, Mapping[str, Any]]:
    """Name and fields of a cell's task, baseline or source; none where its record tells no one."""
    match record.cell.get(part):
        case [str(name), dict(fields)]:
            return name, fields
    return "", {}


def baseline_of(record: Facts) -> str:
    """The name of an arm's plugin: from its cell, else from its label."""
    return plugin_of(record, "baseline")[0] or record.arm.baseline.partition("[")[0]
