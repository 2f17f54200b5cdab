"""`voxbench ls`: what is there, by name."""

import dataclasses
from enum import StrEnum
from typing import Annotated, Any

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json, print_rows


class What(StrEnum):
    """The kinds of things that can be listed."""

    tasks = "tasks"
    baselines = "baselines"
    sweeps = "sweeps"
    corpora = "corpora"


def ls_verb(
    what: Annotated[What, typer.Argument(help="tasks, baselines, sweeps or corpora")],
    name: Annotated[
        str | None, typer.Argument(help="A baseline, to show the whole card of.")
    ] = None,
    include_path: Include = None,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page of corpora.")] = False,
) -> None:
    """List tasks, baselines, sweeps or corpora; with a name, show a baseline's whole card."""
    include_all(include_path)
    if name is not None:
        _show(what, name, json)
        return
    if markdown:
        _page(what)
        return
    kinds = {
        What.tasks: _tasks,
        What.baselines: _baselines,
        What.sweeps: _sweeps,
        What.corpora: _corpora,
    }
    rows = kinds[what]()
    if json:
        print_json(rows)
        return
    print_rows(rows)


def _tasks() -> list[dict[str, Any]]:
    from voxbench.api import TaskCard
    from voxbench.plugins import TASKS, find_task

    rows = []
    for name, plugin in TASKS.plugins().items():
        found = TASKS.find(name)
        placed = found.folder is not None or found.generated
        card: TaskCard | None = find_task(name).card if placed else None
        rows.append(
            {
                "task": name,
                "modality": card and card.modality,
                "classes": ", ".join(card.classes) if card else "read from its folder",
                "licence": card and card.licence,
                "from": plugin.owner,
            }
        )
    return rows


def _baselines() -> list[dict[str, Any]]:
    from voxbench.plugins import BASELINES

    rows = []
    for name, plugin in BASELINES.plugins().items():
        found = BASELINES.find(name)
        card = found.card
        rows.append(
            {
                "baseline": name,
                "strategy": card.strategy,
                "axes": ", ".join(f"{key}={value}" for key, value in _axes(found).items()),
                "licence": card.licence,
                "from": plugin.owner,
            }
        )
    return rows


def _show(what: What, name: str, json: bool) -> None:
    """Print a baseline's card."""
    from voxbench.errors import SpecError

    if what is not What.baselines:
        raise SpecError(f"a name is for baselines, not for {what}: voxbench ls baselines {name}.")
    facts = _card(name)
    if json:
        print_json(facts)
        return
    files = facts.pop("checkpoints")
    facts |= {f"file of size {size}": file for size, file in files.items()}
    print_rows({"of the card": fact, name: _words(value)} for fact, value in facts.items())


def _card(name: str) -> dict[str, Any]:
    """All that a baseline's card says, its axes, and its files by size."""
    from voxbench.api import Published
    from voxbench.plugins import BASELINES

    found = BASELINES.find(name)
    files = found.checkpoints if issubclass(found, Published) else {}
    return {
        **found.card.model_dump(mode="json"),
        "axes": _axes(found),
        "checkpoints": {size: file.model_dump(mode="json") for size, file in files.items()},
    }


def _axes(found: type[Any]) -> dict[str, Any]:
    """The fields that a sweep can vary, and their defaults."""
    return {
        field.name: field.default
        for field in dataclasses.fields(found)
        if field.init and field.default is not dataclasses.MISSING
    }


def _words(value: object) -> str:
    """A fact on one line; what isn't known is left open."""
    if isinstance(value, dict):
        known = {key: _words(one) for key, one in value.items() if one is not None}
        return "; ".join(f"{key} {one}" for key, one in known.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)


def _sweeps() -> list[dict[str, Any]]:
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


def _corpora() -> list[dict[str, Any]]:
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


def _page(what: What) -> None:
    from voxbench.errors import SpecError
    from voxbench.ledger.corpora import corpora
    from voxbench.ledger.page import page

    if what is not What.corpora:
        raise SpecError(f"--markdown is for corpora, not for {what}.")
    print(page(corpora()), end="")
