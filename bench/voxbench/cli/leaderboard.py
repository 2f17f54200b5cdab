"""`voxbench leaderboard`: verified submissions into the results."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Include, include_all
from voxbench.cli.verify import BundlePath, Sweeps, evidence_here, verification_lines

leaderboard_group = typer.Typer(
    name="leaderboard", help="Verified submissions into the results: add.", no_args_is_help=True
)


@leaderboard_group.callback()
def _main() -> None:
    """A group, although it has one verb."""


@leaderboard_group.command("add")
def leaderboard_add_verb(
    bundle: BundlePath,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")] = Path(
        "results"
    ),
    sweep: Sweeps = None,
    include_path: Include = None,
) -> None:
    """Verify a bundle and merge its records, all or none; exit code 1 if it has errors."""
    from voxbench.submission.merge import merge
    from voxbench.submission.verify import verify_bundle

    include_all(include_path)
    found = verify_bundle(bundle, evidence_here(output, sweep))
    print("\n".join(verification_lines(bundle, found)))
    if not found.verified:
        raise typer.Exit(1)
    merged = merge(found, output)
    for key in merged.known:
        print(f"already there: {key}")
    print(
        f"{len(merged.new)} records added to {output}, told of in {merged.page}; now run: "
        f"voxbench report {output} -o {output}"
    )
