"""The page of a task's uncertainty: what doubt is worth, and what pre-training changes of it."""

from typing import NamedTuple

from voxbench.analyses.uncertainty.tables import doubt_tables, table_of_task
from voxbench.reporting.names import slug
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.material import Material
from voxbench.reporting.site.task import Drawing


class UncertaintyPage(NamedTuple):
    """What it shows.

    Attributes:
        task: its name.
        sentences: the verdicts in words.
        drawings: risk against coverage and reliability, and what separates.
        tables: leading figures, then ways of doubting, components and separation of this task.
        files: all figures, to download.
    """

    task: str
    sentences: list[str]
    drawings: list[Drawing]
    tables: list[HtmlTable]
    files: list[tuple[str, str]]


def uncertainty_path(task: str) -> str:
    """Its page, from the root of the site."""
    return f"uncertainty/{slug(task)}.html"


def uncertainty_page(material: Material, task: str) -> UncertaintyPage:
    """Put the page of a task together, for a task that something was asked of."""
    found = material.report.doubt.of_task(task)
    separated = bool(found.separations)
    drawings = [
        Drawing(figure.title, material.href(figure.paths[0]))
        for figure in material.report.doubt_figures
        if figure.task == task or (separated and not figure.task)
    ]
    name = table_of_task(task, []).name
    return UncertaintyPage(
        task,
        found.sentences,
        [drawing for drawing in drawings if drawing.source],
        [
            html_table(table, lambda row, _: material.link_of(row) if "arm" in row else "")
            for table in doubt_tables(found)
        ],
        material.downloads(f"{name}-all", material.out / "tables"),
    )
