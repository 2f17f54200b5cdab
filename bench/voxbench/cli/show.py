"""Results on a terminal, for people and for programs."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxbench.analyses.table import Table


def print_table(table: "Table") -> None:
    """Print a table under its title and caption; as wide as it is where there is no terminal."""
    from rich.console import Console

    from voxbench.reporting.printer import as_text

    if table.title:
        print(fill(f"{table.title}: {table.caption}", min(100, get_terminal_size().columns)))
    if sys.stdout.isatty():
        Console().print(as_text(table))
        return
    with (console := Console(width=10_000)).capture() as shown:
        console.print(as_text(table))
    print("\n".join(line.rstrip() for line in shown.get().splitlines()))


def print_rows(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows of one shape under their keys."""
    from voxbench.analyses.table import Table

    print_table(Table.plain(rows))


def by_first(rows: Iterable[Mapping[str, object]]) -> Iterator[dict[str, object]]:
    """The rows with lists of many told by their first."""
    from voxbench.reporting.people import few

    for row in rows:
        yield {
            key: few(value.split(", ")) if isinstance(value, str) else value
            for key, value in row.items()
        }


def print_remarks(lines: Iterable[str]) -> None:
    """What should be known, beside the result."""
    for line in lines:
        print(f"note: {line}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print what a program reads; what is undefined (NaN) is null."""
    from voxbench.reporting.printer import as_json

    print(as_json(value))


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar of so many steps, where there is a terminal; gives what advances it by one."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        row = bar.add_task(what, total=total)
        yield lambda: bar.advance(row)


def warn_of_races(directory: Path) -> None:
    """Warn, beside the result, where races chose what was run in a folder of records."""
    from voxbench.analyses.races.results import race_warning

    if told := race_warning(directory):
        print(f"note: {told}", file=sys.stderr)
