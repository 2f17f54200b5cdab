"""`voxbench claims`: what a study says it found, tested again on stored records."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json
from voxbench.cli.show import print_json, warn_of_races


def claims_verb(
    file: Annotated[Path, typer.Argument(help="Claims, one table each.")] = Path("claims.toml"),
    directory: Annotated[
        Path | None, typer.Argument(help="Folder of the records; that of FILE by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Test declared claims again; exit code 0 if all hold, else 1."""
    from voxbench.analyses.claim_sentences import describe_claims
    from voxbench.analyses.claims import judge_claims
    from voxbench.analyses.read import groups_in
    from voxbench.design.claims import read_claims

    records = directory or file.parent
    results = judge_claims(read_claims(file), groups_in(records))
    warn_of_races(records)
    if json:
        print_json([result.to_json() for result in results])
    else:
        print("\n".join(describe_claims(results)))
    if any(result.verdict != "holds" for result in results):
        raise typer.Exit(1)
