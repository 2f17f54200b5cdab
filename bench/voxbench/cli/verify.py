"""`voxbench verify`: a bundle checked against itself, the data and the results that are here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json

if TYPE_CHECKING:
    from voxbench.submission.evidence import Evidence
    from voxbench.submission.verify import Verification

BundlePath = Annotated[Path, typer.Argument(help="File that `voxbench submit` wrote.")]
Sweeps = Annotated[
    list[Path] | None,
    typer.Option("--sweep", help="A sweep of yours that says where tasks and sources lie."),
]


def verify_verb(
    bundle: BundlePath,
    against: Annotated[
        Path | None,
        typer.Option(help="Folder of known results; `results` where there is one."),
    ] = None,
    sweep: Sweeps = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Check a bundle without trusting it; exit code 1 if it has errors, 2 if it can't be read."""
    from voxbench.errors import BundleError
    from voxbench.submission.verify import verify_bundle

    if against and not (against / "records").is_dir():
        raise BundleError(f"--against {against}: no records there.")
    include_all(include_path)
    found = verify_bundle(bundle, evidence_here(against or Path("results"), sweep))
    if json:
        print_json(found.plain())
    else:
        print("\n".join(verification_lines(bundle, found)))
    if not found.verified:
        raise typer.Exit(1)


def evidence_here(results: Path, sweeps: list[Path] | None) -> "Evidence":
    """What there is to check against.

    Raises:
        SpecError: a sweep can't be read.
    """
    from voxbench.design.sweep_file import read_sweep
    from voxbench.submission.evidence import Evidence

    return Evidence(results, [read_sweep(path) for path in sweeps or []])


def verification_lines(path: Path, found: "Verification") -> list[str]:
    """The verdict as lines: what is wrong first, what is only unknown last."""
    lines = [f"error: {line}" for line in found.errors]
    lines += [f"warning: {line}" for line in found.warnings]
    lines += [f"not checked here: {line}" for line in found.unchecked]
    bundle = found.bundle
    counts = f"{len(bundle.records)} records, {bundle.label_maps} label maps"
    end = "verified" if found.verified else "refused"
    return [*lines, f"{path}: {bundle.manifest.submitter.name}, {counts}: {end}"]
