"""`voxbench overlap`: test cases that are among the volumes of a pre-training set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json, print_rows

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from voxbench.ledger.overlap import Collected, Overlap

LIMITS = (
    "Finds copies that were flipped, re-ordered, resampled, windowed, re-encoded or cropped by up"
    " to about a tenth of each axis; not certainly those cropped by a fifth, nor ones with strong"
    " noise, and no crops that share less than a quarter. Two scans of one person may match."
)


def overlap_verb(
    seen: Annotated[Path, typer.Argument(help="Manifest (JSON), or a folder of NIfTI images.")],
    task: Annotated[
        str | None, typer.Option("--task", "-t", help="Whose test cases are looked for.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="A field of the task: root=DIR.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the manifest of SEEN, to be shared."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Volumes at a time; all cores.")
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Match a pre-training set against a task's test cases; exit code 1 if they overlap."""
    from rich.console import Console

    from voxbench.errors import SpecError
    from voxbench.ledger.manifest import write_manifest
    from voxbench.ledger.overlap import find_overlaps
    from voxbench.records.environment import cpus

    if task is None and output is None:
        raise SpecError("nothing to do: give --task to look for its test cases, or --output.")
    include_all(include_path)
    jobs = jobs or cpus()
    console = Console(stderr=True)
    pool = _seen(seen, jobs, console)
    if output:
        write_manifest(output, pool.volumes)
        console.print(f"wrote {output}", highlight=False, soft_wrap=True)
    matches: list[Overlap] = []
    unreadable = dict(pool.unreadable)
    tested = 0
    if task is not None:
        test = _tested(task, field, jobs, console)
        tested = len(test.volumes)
        unreadable |= test.unreadable
        with _bar(console) as bar:
            row = bar.add_task("matching", total=tested)
            matches = find_overlaps(pool.volumes, test.volumes, jobs, lambda: bar.advance(row))
    _report(matches, tested if task else None, len(pool.volumes), unreadable, json)
    if matches or unreadable:
        raise typer.Exit(1)


def _seen(source: Path, jobs: int, console: "Console") -> "Collected":
    from voxbench.errors import DataError
    from voxbench.ledger.manifest import read_manifest
    from voxbench.ledger.overlap import Collected, images_below

    if source.is_dir():
        return _collect(images_below(source), jobs, console, "seen")
    if not source.is_file():
        raise DataError(f"{source}: no such manifest or folder.")
    return Collected(read_manifest(source), {})


def _tested(task: str, field: list[str] | None, jobs: int, console: "Console") -> "Collected":
    from voxbench.data.split import split_cases
    from voxbench.design.cell import Ref
    from voxbench.design.spec import parse_override
    from voxbench.ledger.overlap import images_of
    from voxbench.plugins import find_task

    fields = dict(parse_override(one, "--field") for one in field or [])
    cases = split_cases(find_task(Ref.of(task, fields))).test
    return _collect(images_of(cases), jobs, console, "test")


def _collect(files: dict[str, Path], jobs: int, console: "Console", what: str) -> "Collected":
    from voxbench.ledger.overlap import collect_looks

    with _bar(console) as bar:
        row = bar.add_task(f"reading {what}", total=len(files))
        return collect_looks(files, jobs, lambda: bar.advance(row))


def _bar(console: "Console") -> "Progress":
    from rich.progress import Progress

    return Progress(console=console, disable=not console.is_terminal, transient=True)


def _report(
    matches: "list[Overlap]",
    tested: int | None,
    seen: int,
    unreadable: dict[str, str],
    json: bool,
) -> None:
    if json:
        report = {
            "tested": tested,
            "seen": seen,
            "matches": [match._asdict() for match in matches],
            "unreadable": unreadable,
            "limits": LIMITS,
        }
        print_json(report)
        return
    if matches:
        print_rows(
            {"test image": m.image, "seen as": m.seen, "score": f"{m.score:.3f} (≥ {m.bar:.3f})"}
            for m in matches
        )
    for name, reason in unreadable.items():
        print(f"not compared: {name}: {reason}")
    if tested is None:
        print(f"{seen} volumes read.")
        return
    found = len({match.image for match in matches})
    print(f"{found} of {tested} test images are among {seen} seen volumes. {LIMITS}")
