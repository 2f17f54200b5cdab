"""Tables as pages show them: cells with what to sort by and a link to what is behind them."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from voxbench.analyses.table import Column, Table


class HtmlCell(NamedTuple):
    """Its text, where it leads (from the root of the site), and its value for sorting."""

    text: str
    href: str = ""
    value: str = ""


class HtmlRow(NamedTuple):
    """Cells, and what filters look at."""

    cells: list[HtmlCell]
    data: Mapping[str, str] = {}


class HtmlTable(NamedTuple):
    """A table on a page.

    Attributes:
        id: unique on its page.
        header: the column that names the row.
        files: the same as (kind, link), to download.
    """

    id: str
    title: str
    caption: str
    columns: Sequence[Column]
    rows: list[HtmlRow]
    header: int = 0
    files: Sequence[tuple[str, str]] = ()


Link = Callable[[Mapping[str, Any], Column], str]


def html_table(
    table: Table,
    link: Link | None = None,
    header: str = "arm",
    files: Sequence[tuple[str, str]] = (),
    data: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
) -> HtmlTable:
    """Lay a table out; `link` says where each cell leads, `data` what filters look at."""
    rows = [
        HtmlRow(
            [
                HtmlCell(
                    column.text(row),
                    link(row, column) if link else "",
                    _value(column.values(row)[0]) if column.number else "",
                )
                for column in table.columns
            ],
            data(row) if data else {},
        )
        for row in table.rows
    ]
    return HtmlTable(
        table.name.replace("_", "-"),
        table.title,
        table.caption,
        table.columns,
        rows,
        table.titles.index(header) if header in table.titles else 0,
        files,
    )


def _value(value: Any) -> str:
    """Six digits; nothing, which sorts last, for what is undefined."""
    if isinstance(value, int | float) and not math.isnan(value):
        return f"{value:.6g}"
    return ""
