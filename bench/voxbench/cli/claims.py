"""`voxbench claims`: what a study says it found, tested again on stored records."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json
from voxbench.cli.show import caution, print_json


def claims_verb(
    file: Annotated[Path, typer.Argument(help="Claims, one sentence each.")] = Path("claims.toml"),
    directory: Annotated[
        Path | None, typer.Argument(help="Folder of the records; that of FILE by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Test declared claims again; exit code 0 if all hold, else 1."""
    from voxbench.report import claims as report

    records = directory or file.parent
    found = report.claims(file, records)
    caution(records)
    if json:
        print_json([report.record(one) for one in found])
    else:
        told = [line for one in found for line in (*report.lines(one), "")]
        print("\n".join([*told, report.summary(found)]))  # noqa: T201
    if any(one.verdict != "holds" for one in found):
        raise typer.Exit(1)
