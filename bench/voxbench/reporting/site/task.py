"""The page of a task: curves, ranks, classes, distributions, and what failed."""

from typing import Any, NamedTuple

from voxbench.api import TaskCard
from voxbench.design.cell import Ref
from voxbench.errors import VoxbenchError
from voxbench.plugins import find_task
from voxbench.records import Facts
from voxbench.records.places import without_places
from voxbench.reporting.figures.draw import Figure
from voxbench.reporting.names import slug
from voxbench.reporting.printer import save_table
from voxbench.reporting.site.classes import class_tables
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.leaderboard import leaderboard
from voxbench.reporting.site.material import Material
from voxbench.reporting.site.strips import Strips, distributions


class Drawing(NamedTuple):
    """A figure that the report wrote."""

    title: str
    source: str


class TaskPage(NamedTuple):
    """What a task's page shows; `card` is None where it can't be read, for `reason`."""

    name: str
    card: dict[str, Any] | None
    reason: str
    curves: list[Drawing]
    ranks: HtmlTable
    classes: list[HtmlTable]
    distributions: list[Strips]
    failed: HtmlTable
    smoke: bool


def _caption(material: Material, figure: Figure) -> str:
    recipe = material.recipes.get((figure.task, figure.setting))
    return f"{figure.title} ({recipe})" if recipe else figure.title


def task_path(name: str) -> str:
    """Its page, from the root of the site."""
    return f"tasks/{slug(name)}.html"


def task_page(material: Material, name: str) -> TaskPage:
    """Put the page of a task together; its tables of classes are written."""
    results = material.of_task(name)
    card, reason = _card(results[0].records[0])
    classes = []
    for table in class_tables(material.report.groups, name):
        save_table(table, material.site / "tables")
        files = material.downloads(table.name, material.site / "tables")
        classes.append(
            html_table(
                material.with_recipes(table), lambda row, _: material.link_of(row), files=files
            )
        )
    return TaskPage(
        name,
        card,
        reason,
        [
            Drawing(_caption(material, figure), material.href(figure.paths[0]))
            for figure in material.report.figures
            if figure.task == name and material.href(figure.paths[0])
        ],
        _ranks(material, name),
        classes,
        distributions(results, material.metric),
        _failed(material, name),
        any(result.group.smoke for result in results),
    )


def find_card(record: Facts) -> TaskCard:
    """The card of a record's task, as the plugin that is installed here gives it.

    Raises:
        VoxbenchError: there is none, or it needs data that are not here.
    """
    return find_task(ref_of(record)).card


def ref_of(record: Facts) -> Ref:
    """The task that a record names, without any place: records may come from strangers.

    Raises:
        VoxbenchError: it names none.
    """
    found = record.cell.get("task")
    if not (isinstance(found, list) and len(found) == 2 and isinstance(found[1], dict)):
        raise VoxbenchError("its records do not say which task plugin it is.")
    return Ref.of(str(found[0]), found[1]).without_locations()


def _card(record: Facts) -> tuple[dict[str, Any] | None, str]:
    try:
        return find_card(record).model_dump(), ""
    except VoxbenchError as error:
        return None, without_places(str(error))


def _ranks(material: Material, name: str) -> HtmlTable:
    table = leaderboard(material.of_task(name), material.metric)
    columns = [column for column in table.columns if column.title != "task"]
    return html_table(
        table._replace(name="ranks", title="Ranks, scores and costs", columns=columns),
        lambda row, _: material.link_of(row),
    )


def _failed(material: Material, name: str) -> HtmlTable:
    [table] = [table for table in material.report.tables if table.name == "failed"]
    rows = [row for row in table.rows if row["task"] == name]
    return html_table(
        table._replace(rows=rows),
        lambda row, column: material.record(row["key"]) if column.title == "record" else "",
    )
