"""`voxbench check`: the conformance suites on any plugin."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import Include, Json, include_all

if TYPE_CHECKING:
    from bench.design.cell import Ref


def check(
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
    """Run the conformance suite of tasks and baselines; exit code 1 if a check fails."""
    from bench.errors import SpecError
    from bench.plugins import find_baseline, find_task
    from bench.testing import BaselineChecks, TaskChecks, run_checks

    include_all(include_path)
    suites: list[tuple[str, Any]] = []
    for name in task or []:
        suite: Any = TaskChecks()
        suite.task = find_task(_ref(name, field))
        suites.append((name, suite))
    for name in baseline or []:
        suite = BaselineChecks()
        suite.baseline = find_baseline(_ref(name, field))
        suites.append((name, suite))
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


def _ref(name: str, fields: list[str] | None) -> "Ref":
    from bench.design.cell import Ref
    from bench.design.spec import parse_override

    return Ref.of(name, dict(parse_override(field, "--field") for field in fields or []))


def _print(results: list[dict[str, str]], json: bool) -> None:
    if json:
        import json as writer

        print(writer.dumps(results, indent=1))  # noqa: T201
        return
    from bench.cli.show import table

    table(results)
