"""Rows on a terminal."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


def table(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows of one shape under their keys; unwrapped where there is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    rows = list(rows)
    console = Console(width=None if sys.stdout.isatty() else 10_000)
    found = Table(*(rows[0] if rows else ()), box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        found.add_row(*(escape("" if value is None else str(value)) for value in row.values()))
    console.print(found)


def caution(directory: Path) -> None:
    """Warn, beside the result, where races chose what was run in a folder of records."""
    from voxbench.report.race import caution

    if told := caution(directory):
        print(f"note: {told}", file=sys.stderr)  # noqa: T201
