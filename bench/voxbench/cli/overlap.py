"""`voxbench overlap`: test cases that are among the volumes of a pre-training set."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import counting, print_json, print_rows

if TYPE_CHECKING:
    from voxbench.ledger.overlap import Collected

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
    from voxbench.cores import available_cores
    from voxbench.errors import SpecError
    from voxbench.ledger.manifest import write_manifest
    from voxbench.ledger.overlap import find_overlaps

    if task is None and output is None:
        raise SpecError("nothing to do: give --task to look for its test cases, or --output.")
    include_all(include_path)
    jobs = jobs or available_cores()
    pool = _seen(seen, jobs)
    report: dict[str, Any] = {"tested": None, "seen": len(pool.volumes), "matches": []}
    report["unreadable"] = dict(pool.unreadable)
    if output:
        write_manifest(output, pool.volumes)
        print(f"wrote {output}", file=sys.stderr)
    if task is not None:
        test = _tested(task, field, jobs)
        with counting("matching", len(test.volumes)) as done:
            found = find_overlaps(pool.volumes, test.volumes, jobs, done)
        report["tested"] = len(test.volumes)
        report["matches"] = [overlap._asdict() for overlap in found]
        report["unreadable"] |= test.unreadable
    if json:
        print_json(report | {"limits": LIMITS})
    else:
        _print(**report)
    if report["matches"] or report["unreadable"]:
        raise typer.Exit(1)


def _seen(source: Path, jobs: int) -> "Collected":
    from voxbench.errors import DataError
    from voxbench.ledger.manifest import read_manifest
    from voxbench.ledger.overlap import Collected, images_below

    if source.is_dir():
        return _collect(images_below(source), jobs, "seen")
    if not source.is_file():
        raise DataError(f"{source}: no such manifest or folder.")
    return Collected(read_manifest(source), {})


def _tested(task: str, field: list[str] | None, jobs: int) -> "Collected":
    from voxbench.data.split import split_cases
    from voxbench.design.cell import Ref
    from voxbench.design.sweep_file import parse_override
    from voxbench.ledger.overlap import images_of
    from voxbench.plugins import find_task

    fields = dict(parse_override(one, "--field") for one in field or [])
    cases = split_cases(find_task(Ref.of(task, fields))).test
    return _collect(images_of(cases), jobs, "test")


def _collect(files: dict[str, Path], jobs: int, what: str) -> "Collected":
    from voxbench.ledger.overlap import collect_looks

    with counting(f"reading {what}", len(files)) as done:
        return collect_looks(files, jobs, done)


def _print(
    tested: int | None, seen: int, matches: list[dict[str, Any]], unreadable: dict[str, str]
) -> None:
    if matches:
        print_rows(
            {
                "test image": match["image"],
                "seen as": match["seen"],
                "score": f"{match['score']:.3f} (≥ {match['bar']:.3f})",
            }
            for match in matches
        )
    for name, reason in unreadable.items():
        print(f"not compared: {name}: {reason}")
    if tested is None:
        print(f"{seen} volumes read.")
    else:
        found = len({match["image"] for match in matches})
        print(f"{found} of {tested} test images are among {seen} seen volumes. {LIMITS}")
