"""`voxbench check`: the conformance suites on any plugin."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json, print_rows

if TYPE_CHECKING:
    from voxbench.design.cell import Ref


def check_verb(
    task: Annotated[list[str] | None, typer.Option("--task", "-t", help="A task's name.")] = None,
    baseline: Annotated[
        list[str] | None, typer.Option("--baseline", "-b", help="A baseline's name.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", help="A field of the plugins: root=DIR, architecture=segresnet."),
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Run the conformance suite of tasks or baselines; exit code 1 if a check fails.

    With both, the baselines are checked, and their input contract is probed on the one task. A
    field that only some of the plugins have is given to those.
    """
    from voxbench.errors import SpecError
    from voxbench.plugins import BASELINES, TASKS, find_baseline, find_task
    from voxbench.testing import BaselineChecks, TaskChecks, run_checks

    if baseline and len(task or []) > 1:
        raise SpecError("check: with -b name one task with -t, to probe the contract on.")
    include_all(include_path)
    kinds: dict[str, type[Any]] = {name: TASKS.find(name) for name in task or []}
    kinds.update({name: BASELINES.find(name) for name in baseline or []})
    refs = _refs(kinds, field or [])
    tasks = [find_task(refs[name]) for name in task or []]
    suites: list[tuple[str, Any]] = []
    for name in baseline or []:
        suite: Any = BaselineChecks()
        suite.baseline, suite.task = find_baseline(refs[name]), tasks[0] if tasks else None
        suites.append((name, suite))
    for found in tasks if not suites else []:
        suite = TaskChecks()
        suite.task = found
        suites.append((found.card.name, suite))
    if not suites:
        raise SpecError("check: name a task with -t or a baseline with -b.")
    results = [
        {"plugin": name, **result._asdict()}
        for name, suite in suites
        for result in run_checks(suite)
    ]
    _print(results, json)
    if any(result["state"] == "failed" for result in results):
        raise typer.Exit(1)


def _refs(kinds: dict[str, type[Any]], fields: list[str]) -> "dict[str, Ref]":
    """Each plugin with the fields that it has; one that none has is left for all to refuse."""
    from voxbench.design.cell import Ref
    from voxbench.design.sweep_file import parse_override

    given = dict(parse_override(field, "--field") for field in fields)
    owned = {name: {f.name for f in dataclasses.fields(kind)} for name, kind in kinds.items()}
    known = set().union(*owned.values())
    return {
        name: Ref.of(name, {k: v for k, v in given.items() if k in own or k not in known})
        for name, own in owned.items()
    }


def _print(results: list[dict[str, str]], json: bool) -> None:
    if json:
        print_json(results)
        return
    print_rows(results)
