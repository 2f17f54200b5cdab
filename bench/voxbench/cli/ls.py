"""`voxbench ls`: what is there, by name."""

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.describe import describe_architecture, describe_plugin
from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import by_first, print_json, print_rows
from voxbench.errors import PluginError, SpecError

if TYPE_CHECKING:
    from voxbench.api import Task

Rows = list[dict[str, Any]]


class What(StrEnum):
    """The kinds of things that can be listed."""

    tasks = "tasks"
    baselines = "baselines"
    architectures = "architectures"
    sweeps = "sweeps"
    corpora = "corpora"
    engines = "engines"


def ls_verb(
    what: Annotated[
        What, typer.Argument(help="tasks, baselines, architectures, sweeps, corpora or engines")
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="A task, baseline, architecture or engine, to show all of it."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Of an architecture; its first by default.")
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """List what is there; with a name, show its card and fields, or the tensors of a network."""
    include_all(include_path)
    if size is not None and (name is None or what is not What.architectures):
        raise SpecError(
            "--size is for one architecture: voxbench ls architectures unet --size tiny."
        )
    if name is not None and what is What.architectures:
        describe_architecture(name, size, json)
    elif name is not None:
        describe_plugin(what, name, json)
    elif json:
        print_json(_LISTS[what]())
    else:
        rows = _LISTS[what]()
        if not any(row.get("broken") for row in rows):
            for row in rows:
                row.pop("broken", None)
        print_rows(by_first(rows))
        if what not in (What.sweeps, What.corpora):
            print(f"all of one: voxbench ls {what} NAME")


def _tasks() -> Rows:
    from voxbench.plugins import TASKS
    from voxbench.registry import failure

    rows = []
    for plugin, found in TASKS.each():
        row: dict[str, Any] = dict.fromkeys(("task", "modality", "classes", "licence"))
        row |= {"task": plugin.name, "from": plugin.owner, "broken": None}
        try:
            if isinstance(found, PluginError):
                raise found
            row |= _card(plugin.name, found)
        except Exception as error:  # noqa: BLE001 (a stranger's plugin may raise anything)
            row["broken"] = failure(error)
        rows.append(row)
    return rows


def _card(name: str, kind: "type[Task]") -> dict[str, Any]:
    """What a task's card says, unless it is in a folder that nobody has named."""
    from voxbench.plugins import find_task

    if kind.folder is None and not kind.generated:
        return {"classes": "read from its folder"}
    card = find_task(name).card
    return {
        "modality": ", ".join(dict.fromkeys(card.modalities)),
        "classes": ", ".join(card.classes),
        "licence": card.licence,
    }


def _baselines() -> Rows:
    from voxbench.fields import settable_fields
    from voxbench.plugins import BASELINES

    rows = []
    for plugin, found in BASELINES.each():
        row: dict[str, Any] = dict.fromkeys(("baseline", "strategy", "axes", "licence"))
        row |= {"baseline": plugin.name, "from": plugin.owner, "broken": None}
        if isinstance(found, PluginError):
            row["broken"] = str(found)
        else:
            fields = [field for field in settable_fields(found) if not field.required]
            row["strategy"], row["licence"] = found.card.strategy, found.card.licence
            row["axes"] = ", ".join(f"{field.name}={field.default}" for field in fields)
        rows.append(row)
    return rows


def _architectures() -> Rows:
    from voxbench.api.architecture import ARCHITECTURES

    return [
        {
            "architecture": plugin.name,
            "sizes": None if isinstance(found, PluginError) else ", ".join(found.sizes),
            "from": plugin.owner,
            "broken": str(found) if isinstance(found, PluginError) else None,
        }
        for plugin, found in ARCHITECTURES.each()
    ]


def _sweeps() -> Rows:
    from voxbench.running.builtin import builtin_sweeps, find_sweep

    return [
        {
            "sweep": name,
            "tasks": ", ".join(task.name for task in sweep.tasks),
            "baselines": ", ".join(baseline.name for baseline in sweep.baselines),
            "fractions": ", ".join(map(str, sweep.fractions)),
            "seeds": len(sweep.seeds),
        }
        for name in builtin_sweeps()
        for sweep in [find_sweep(name)]
    ]


def _corpora() -> Rows:
    from voxbench.ledger.corpora import corpora

    known = corpora()
    for reason in known.broken.values():
        print(f"broken: {reason}", file=sys.stderr)
    return [
        {
            "corpus": corpus.name,
            "kind": ", ".join(corpus.kind),
            "holds": ", ".join(corpus.parents),
            "may hold": ", ".join(corpus.perhaps),
            "all known": "yes" if corpus.complete else "no",
            "checked": "yes" if corpus.checked else "no",
        }
        for corpus in known.all
    ]


def _engines() -> Rows:
    from voxbench.fields import settable_fields
    from voxbench.registry import failure
    from voxbench.running.engines.settings import ENGINES

    rows = []
    for plugin, found in ENGINES.each():
        row: dict[str, Any] = {"engine": plugin.name, "fields": None, "lacks": None}
        row |= {"from": plugin.owner, "broken": None}
        try:
            if isinstance(found, PluginError):
                raise found
            row["fields"] = ", ".join(field.name for field in settable_fields(found))
            row["lacks"] = found.lacks()
        except Exception as error:  # noqa: BLE001 (a stranger's plugin may raise anything)
            row["broken"] = failure(error)
        rows.append(row)
    return rows


_LISTS: dict[What, Callable[[], Rows]] = {
    What.tasks: _tasks,
    What.baselines: _baselines,
    What.architectures: _architectures,
    What.sweeps: _sweeps,
    What.corpora: _corpora,
    What.engines: _engines,
}
