"""`voxbench prepare`: check every case of a task and fill the cache."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import counting, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxbench.api import Case, Task
    from voxbench.data.prepare import PrepareOutcome
    from voxbench.data.volumes import Problem


def prepare_verb(
    tasks: Annotated[list[str], typer.Argument(help="Names of tasks.")],
    field: Annotated[
        list[str] | None,
        typer.Option("--field", help="A field of the tasks: root=DIR, modality=MR."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Cases at a time.")] = 1,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Read, check and cache every case; exit code 1 if one can't be used or lies in two parts.

    Images of validation and test are compared with those of the other parts, as `overlap` does it:
    two scans of one person, or copies, tell that patients are not kept apart. It takes about half a
    second an image.
    """
    from voxbench.design.cell import Ref
    from voxbench.design.sweep_file import parse_override
    from voxbench.plugins import find_task

    include_all(include_path)
    fields = dict(parse_override(one, "--field") for one in field or [])
    reports = [_report(find_task(Ref.of(name, fields)), jobs, json) for name in tasks]
    if json:
        print_json(reports)
    else:
        _print(reports)
    if any(problem["fatal"] for report in reports for problem in report["problems"]):
        raise typer.Exit(1)


def _report(task: "Task", jobs: int, quiet: bool) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import track

    from voxbench.data.prepare import prepare_each, size_before_cropping

    cases = sorted((c for part in task.cases().values() for c in part), key=lambda c: c.id)
    if not quiet:
        size = size_before_cropping(cases, task.card.preprocessing)
        told = f"{task.card.name}: {len(cases)} cases, {size:,} bytes prepared before cropping"
        print(f"{told}; what is in the cache already stays", file=sys.stderr)
    outcomes: list[PrepareOutcome] = list(
        track(
            prepare_each(task.card, cases, task.card.preprocessing, jobs),
            total=len(cases),
            description=task.card.name,
            console=Console(stderr=True),
            disable=quiet,
        )
    )
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    compared, copies = _copies(task, jobs)
    return {
        "task": task.card.name,
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "mirroring": _mirroring(task, cases),
        "notes": [*task.notes, compared],
        "usable": sum(outcome.case is not None for outcome in outcomes),
        "problems": [
            {**problem._asdict(), "fatal": problem.fatal} for problem in (*problems, *copies)
        ],
    }


def _mirroring(task: "Task", cases: "Sequence[Case]") -> str:
    """By the training cases, as in a sweep; by all of them where they can't be split."""
    from contextlib import suppress

    from voxbench.data.mirroring import find_mirroring
    from voxbench.data.split import split_cases
    from voxbench.errors import DataError

    with suppress(DataError):
        cases = split_cases(task).train
    return find_mirroring(task.card, cases, task.mirror).told


def _copies(task: "Task", jobs: int) -> "tuple[str, list[Problem]]":
    """Whether a scan lies in two parts of the split: what was compared, and the cases that do."""
    import time

    from voxbench.data.split import split_cases
    from voxbench.data.volumes import Problem
    from voxbench.errors import DataError
    from voxbench.ledger.copies import find_copies

    try:
        split = split_cases(task)
    except DataError as error:
        return f"parts were not compared: {error}", []
    tested = {case.id: case for case in (*split.validation, *split.test)}
    started = time.perf_counter()
    with counting("comparing parts", len(tested)) as done:
        copies = find_copies(split, jobs, done)
    seconds = time.perf_counter() - started
    return (
        f"{len(tested)} validation and test images compared with those of the other parts in "
        f"{seconds:.0f} s: {len({copy.case for copy in copies}) or 'none'} look alike"
    ), [
        Problem(
            copy.case,
            tested[copy.case].images[0].name,
            "in two parts",
            f"looks like {copy.other} of {copy.part}: {copy.score:.3f} (≥ {copy.bar:.3f})",
        )
        for copy in copies
    ]


def _print(reports: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for report in reports:
        console.print(
            f"{report['task']}: {report['usable']} of {report['cases']} cases usable, "
            f"{report['patients']} patients; {report['mirroring']}"
        )
        for note in report["notes"]:
            console.print(f"  {note}", soft_wrap=True, markup=False)
        if not report["problems"]:
            continue
        table = Table("case", "file", "problem", "detail", box=None)
        for problem in report["problems"]:
            colour = "red" if problem["fatal"] else "yellow"
            kind = f"[{colour}]{problem['kind']}[/]"
            table.add_row(problem["case"], problem["file"], kind, problem["detail"])
        console.print(table)
