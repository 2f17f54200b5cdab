"""The page of a task: curves, ranks, classes, distributions, and what failed."""

from typing import NamedTuple

from voxbench.analyses.settings import with_recipes
from voxbench.reporting.figures.draw import Figure
from voxbench.reporting.names import slug
from voxbench.reporting.printer import save_table
from voxbench.reporting.site.cards import Card, card_of
from voxbench.reporting.site.classes import class_tables
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.leaderboard import leaderboard
from voxbench.reporting.site.material import Material
from voxbench.reporting.site.strips import Strips, distributions


class Drawing(NamedTuple):
    """A figure that the report wrote."""

    title: str
    source: str
    values: str = ""


class TaskPage(NamedTuple):
    """What a task's page shows."""

    name: str
    card: Card
    curves: list[Drawing]
    ranks: HtmlTable
    classes: list[HtmlTable]
    distributions: list[Strips]
    failed: HtmlTable
    smoke: bool


def _values(material: Material, figure: Figure) -> str:
    """The link of its CSV, where it has one."""
    found = [path for path in figure.paths if path.suffix == ".csv"]
    return material.href(found[0]) if found else ""


def task_path(name: str) -> str:
    """Its page, from the root of the site."""
    return f"tasks/{slug(name)}.html"


def task_page(material: Material, name: str) -> TaskPage:
    """Put the page of a task together; its tables of classes are written."""
    results = material.of_task(name)
    card = card_of(results)
    classes = []
    for table in class_tables(material.report.groups, name):
        save_table(table, material.site / "tables")
        files = material.downloads(table.name, material.site / "tables")
        classes.append(
            html_table(
                with_recipes(table, material.report.recipes),
                lambda row, _: material.link_of(row),
                files=files,
            )
        )
    return TaskPage(
        name,
        card,
        [
            Drawing(figure.title, material.href(figure.paths[0]), _values(material, figure))
            for figure in material.report.figures
            if figure.task == name and material.href(figure.paths[0])
        ],
        _ranks(material, name),
        classes,
        distributions(results, material.metric),
        _failed(material, name),
        any(result.group.smoke for result in results),
    )


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
