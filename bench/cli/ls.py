"""`voxbench ls`: what is there, by name."""

import dataclasses
from enum import StrEnum
from typing import Annotated, Any

import typer

from bench.cli.options import Include, Json, include_all


class What(StrEnum):
    """The kinds of things that can be listed."""

    tasks = "tasks"
    baselines = "baselines"
    sweeps = "sweeps"
    corpora = "corpora"


def ls(
    what: Annotated[What, typer.Argument(help="tasks, baselines, sweeps or corpora")],
    include_path: Include = None,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page of corpora.")] = False,
) -> None:
    """List tasks, baselines, sweeps or corpora."""
    include_all(include_path)
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
        import json as writer

        print(writer.dumps(rows, indent=1))  # noqa: T201
        return
    from bench.cli.show import table

    table(rows)


def _tasks() -> list[dict[str, Any]]:
    from bench.api import TaskCard
    from bench.plugins import TASKS, find_task

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
    from bench.plugins import BASELINES

    rows = []
    for name, plugin in BASELINES.plugins().items():
        found = BASELINES.find(name)
        axes = {
            field.name: field.default
            for field in dataclasses.fields(found)
            if field.init and field.default is not dataclasses.MISSING
        }
        card = found.card
        rows.append(
            {
                "baseline": name,
                "strategy": card.strategy,
                "axes": ", ".join(f"{key}={value}" for key, value in axes.items()),
                "licence": card.licence,
                "from": plugin.owner,
            }
        )
    return rows


def _sweeps() -> list[dict[str, Any]]:
    from bench.run.named import find_sweep, named_sweeps

    return [
        {
            "sweep": name,
            "tasks": ", ".join(task.name for task in sweep.tasks),
            "baselines": ", ".join(baseline.name for baseline in sweep.baselines),
            "fractions": ", ".join(map(str, sweep.fractions)),
            "seeds": len(sweep.seeds),
        }
        for name in named_sweeps()
        for sweep in [find_sweep(name)]
    ]


def _corpora() -> list[dict[str, Any]]:
    from bench.ledger.corpora import corpora

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
    from bench.errors import SpecError
    from bench.ledger.corpora import corpora
    from bench.ledger.page import page

    if what is not What.corpora:
        raise SpecError(f"--markdown is for corpora, not for {what}.")
    print(page(corpora()), end="")  # noqa: T201
