"""Public data sets: how they are come by, and what is known to be wrong with them."""

from collections.abc import Iterator, Mapping

from voxbench.analyses.table import Table
from voxbench.api import KnownError, PublicTask
from voxbench.plugins import TASKS, find_task
from voxbench.reporting.printer import pipe_table
from voxbench_tasks.known_errors import register


def sources() -> str:
    """Markdown: a row a public data set."""
    return pipe_table(Table.plain(_sources())).strip()


def known_errors() -> str:
    """Markdown: a row an entry of the register."""
    rows = (_row(corpus, error) for corpus, known in register().items() for error in known)
    return pipe_table(Table.plain(rows)).strip()


def _sources() -> Iterator[Mapping[str, object]]:
    for plugin, kind in TASKS.each():
        if isinstance(kind, type) and issubclass(kind, PublicTask) and plugin.owner == "voxbench":
            task = find_task(plugin.name)
            yield {
                "Task": f"`{plugin.name}`",
                "Access": "free" if kind.source.free else "by request",
                "Cases": ", ".join(f"{n} {part}" for part, n in kind.source.counts.items()),
                "Licence": task.card.licence,
                "Reference": task.card.reference,
                "Where": kind.source.where,
                "Checksum": ", ".join(one.checksum or "" for one in kind.source.archives),
            }


def _row(corpus: str, error: KnownError) -> Mapping[str, object]:
    return {
        "Corpus": corpus,
        "Cases": ", ".join(error.cases) or "by their files",
        "Error": error.error,
        "Source": error.source,
        "In the files": error.sign or "",
        "By default": "left out" if error.left_out else "told",
    }
