"""`voxbench ls`: what is there, by name."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.describe import describe
from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json, print_rows

if TYPE_CHECKING:
    from voxbench.api import Task

Rows = list[dict[str, Any]]


class What(StrEnum):
    """The kinds of things that can be listed."""

    tasks = "tasks"
    baselines = "baselines"
    sweeps = "sweeps"
    corpora = "corpora"


def ls_verb(
    what: Annotated[What, typer.Argument(help="tasks, baselines, sweeps or corpora")],
    name: Annotated[
        str | None, typer.Argument(help="A task or baseline, to show its card and fields.")
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """List tasks, baselines, sweeps or corpora; with a name, show all of a task or baseline."""
    include_all(include_path)
    if name is not None:
        describe(what, name, json)
    elif json:
        print_json(_LISTS[what]())
    else:
        rows = _LISTS[what]()
        if not any(row.get("broken") for row in rows):
            for row in rows:
                row.pop("broken", None)
        print_rows(rows)


def _tasks() -> Rows:
    from voxbench.errors import PluginError
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
        "modality": card.modality,
        "classes": ", ".join(card.classes),
        "licence": card.licence,
    }


def _baselines() -> Rows:
    from voxbench.api.fields import settable_fields
    from voxbench.errors import PluginError
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


def _sweeps() -> Rows:
    from voxbench.run.builtin import builtin_sweeps, find_sweep

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

    return [
        {
            "corpus": corpus.name,
            "kind": ", ".join(corpus.kind),
            "holds": ", ".join(corpus.parents),
            "may hold": ", ".join(corpus.perhaps),
            "all known": "yes" if corpus.complete else "no",
            "checked": "yes" if corpus.checked else "no",
        }
        for corpus in corpora().all
    ]


_LISTS: dict[What, Callable[[], Rows]] = {
    What.tasks: _tasks,
    What.baselines: _baselines,
    What.sweeps: _sweeps,
    What.corpora: _corpora,
}
