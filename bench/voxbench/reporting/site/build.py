"""Write the site: pages, tables, and the few static files that they need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voxbench.analyses.claims import ClaimResult
from voxbench.analyses.ranks.leagues import shared_leagues
from voxbench.analyses.ranks.tables import shared_table
from voxbench.analyses.table import Column, Table
from voxbench.api import Task
from voxbench.records import Store
from voxbench.reporting.page import READING
from voxbench.reporting.printer import save_table
from voxbench.reporting.report import Report
from voxbench.reporting.site.baseline import baseline_page, baseline_path
from voxbench.reporting.site.case import CasePage, case_rows, pictured
from voxbench.reporting.site.front.build import write_front
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.leaderboard import leaderboard
from voxbench.reporting.site.material import ArmResult, Material, gather
from voxbench.reporting.site.pages import Pages, rendered
from voxbench.reporting.site.picture import LIMIT, PREDICTION, REFERENCE
from voxbench.reporting.site.result import result_page
from voxbench.reporting.site.sweeps import cell_command, sweep_file
from voxbench.reporting.site.task import task_page, task_path
from voxbench.reporting.site.uncertainty import uncertainty_page, uncertainty_path
from voxbench.stats.metric import METRICS

LINKED = ("effect", *METRICS)
"""What leads from a row to its runs; every further link is a stop for whoever has no mouse."""
FILTERS = ("task", "fraction", "strategy", "contamination")


def build_site(
    report: Report,
    store_dir: Path,
    site: Path,
    public: bool = False,
    tasks: Mapping[str, Task] | None = None,
    claims: Sequence[ClaimResult] = (),
) -> list[Path]:
    """Write the front page, `index.html`, and all behind it; the same report gives the same bytes.

    Args:
        report: what `voxbench.report` found and wrote.
        store_dir: the folder of its records, which may hold predictions.
        site: where to write; pages link to the report's tables and to the records from there.
        public: picture only what is generated or under an open licence, so that the pages may be
            given away.
        tasks: name → task, of those whose data records can't tell where to find.
        claims: what became of claims that were declared.

    Returns:
        The files, the front page first.
    """
    material = gather(report, Store(store_dir), site, public, tasks)
    writer = Pages(site)
    write_front(material, writer, claims)
    _all_rows(material, writer)
    for name in material.tasks:
        doubted = uncertainty_path(name) if name in report.doubt.tasks else ""
        page = task_page(material, name)
        writer.page("task.html", task_path(name), page=page, uncertainty_path=doubted)
    for name in report.doubt.tasks:
        own = uncertainty_page(material, name)
        path = uncertainty_path(name)
        writer.page("uncertainty.html", path, page=own, task_path=task_path(name))
    for name in material.baselines:
        writer.page("baseline.html", baseline_path(name), page=baseline_page(material, name))
    seen = [_result(material, result, writer) for result in material.results]
    writer.static("style.css", "front.css", "front.js", "table.js")
    if any(seen):
        writer.static("case.js", "niivue.umd.js", "THIRD_PARTY.txt")
    writer.tidy()
    return writer.files


def _all_rows(material: Material, writer: Pages) -> None:
    real = [result for result in material.results if not result.group.smoke]
    board = leaderboard(real, material.metric)
    leagues = shared_leagues(material.report.groups, material.metric, material.report.margin)
    shared = shared_table(leagues, material.metric)
    folder = material.site / "tables"
    writer.page(
        "all.html",
        "all.html",
        report=material.report,
        board=_board(material, board),
        choices={name: _choices(board, name) for name in FILTERS},
        shared=html_table(shared, files=material.downloads(shared.name, folder)),
        smoke=material.report.smoke,
        reading=rendered(READING.partition("\n\n")[2]),
    )
    for table in (board, shared):
        writer.files += save_table(table, folder)


def _board(material: Material, table: Table) -> HtmlTable:
    pages = {result.group.arm: baseline_path(result.baseline) for result in material.results}

    def link(row: Any, column: Column) -> str:
        if column.title == "arm":
            return pages[row["arm"]]
        if column.title == "task":
            return task_path(row["task"])
        return material.link_of(row) if column.keys and column.keys[0] in LINKED else ""

    def data(row: Any) -> dict[str, str]:
        return {name: str(row[name]) for name in FILTERS}

    files = material.downloads(table.name, material.site / "tables")
    return html_table(table, link, files=files, data=data)


def _choices(board: Table, name: str) -> list[str]:
    """What a filter offers, in the order of the rows."""
    return list(dict.fromkeys(str(row[name]) for row in board.rows))


def _result(material: Material, result: ArmResult, writer: Pages) -> bool:
    """Write the page of a result and those of its cases; say whether there are any of these."""
    rows, pages = [], []
    for row, page in pictured(material, result, case_rows(result, material.metric)):
        rows.append(row)
        pages += [page] if page else []
    writer.page(
        "result.html",
        result.page,
        page=result_page(material, result),
        command=cell_command(material, result),
        sweeps=_sweeps(material, result),
        rows=rows,
        metric=material.metric.key,
        several=any(row.patient != row.case for row in rows),
        classes=list(dict.fromkeys(name for row in rows for name in row.scores)),
        task_path=task_path(result.group.where.task),
        baseline_path=baseline_path(result.baseline),
    )
    for page in pages:
        _case(material, page, writer)
    return bool(pages)


def _sweeps(material: Material, result: ArmResult) -> list[tuple[str, str]]:
    """Name and link of the sweeps that ran it; no link where the file is not beside the records."""
    names = sorted({record.sweep for record in result.records if not record.imported})
    files = {name: sweep_file(material, name) for name in names}
    return [(name, material.href(path) if path else "") for name, path in files.items()]


def _case(material: Material, page: CasePage, writer: Pages) -> None:
    writer.page(
        "case.html",
        page.row.page,
        page=page,
        record=material.record(page.record.key),
        task_path=task_path(page.result.group.where.task),
        limit=LIMIT,
        colours={"reference": REFERENCE, "prediction": PREDICTION},
    )
