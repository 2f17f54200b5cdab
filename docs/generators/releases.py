"""Public data sets: layout, published split, labels, licence, known errors and tolerances."""

import inspect
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from voxbench.analyses.table import Table
from voxbench.api import TaskCard
from voxbench.reporting.printer import pipe_table
from voxbench_tasks.release import Release

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_MOST = 30  # labels that are told one by one


def releases() -> str:
    """Markdown: a row a data set."""
    return pipe_table(Table.plain(_row(name, kind) for name, kind in registered())).strip()


def registered() -> Iterator[tuple[str, type[Release]]]:
    """Name and class of every release that the project registers."""
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    for name, place in project["entry-points"]["voxbench.tasks"].items():
        module, _, attribute = place.partition(":")
        kind = getattr(import_module(module), attribute)
        if issubclass(kind, Release):
            yield name, kind


def _row(name: str, kind: type[Release]) -> Mapping[str, object]:
    task = kind(root=Path())
    card = task.card
    return {
        "Task": f"`{name}`",
        "What": (inspect.getdoc(kind) or "").partition("\n")[0],
        "Layout": f"`{kind.folder}`: " + "; ".join(_layout(task)),
        "Cases": ", ".join(f"{n} {part}" for part, n in kind.source.counts.items()),
        "Published split": task.published,
        "Labels": _labels(card),
        "NSD tolerance in mm": _tolerances(card),
        "Grid in mm": ", ".join(f"{mm:g}" for mm in card.spacing_mm or ()),
        "Licence": card.licence,
        "Known errors, left out but where «used» stands": _errors(task),
        "Where": kind.source.where,
    }


def _layout(task: Release) -> Iterator[str]:
    for place in task.places:
        yield f"{place.part} `{place.images[0]}`, `{place.label}`"


def _labels(card: TaskCard) -> str:
    told = [f"{value} {name}" for name, value in card.classes.items()]
    return ", ".join(told[:_MOST]) + (f", … ({len(told)})" if told[_MOST:] else "")


def _tolerances(card: TaskCard) -> str:
    groups: dict[float, list[str]] = {}
    for name, mm in card.tolerance_mm.items():
        groups.setdefault(mm, []).append(name)
    if len(groups) == 1:
        return f"{next(iter(groups)):g}"
    return "; ".join(f"{mm:.4g}: {', '.join(names)}" for mm, names in sorted(groups.items()))


def _errors(task: Release) -> str:
    told = [
        (f"{', '.join(error.cases)}: " if error.cases else "")
        + f"{error.error} ({error.source})"
        + ("" if error.left_out else "; used")
        for error in task.known_errors
    ]
    return "; ".join(told) or "none"
