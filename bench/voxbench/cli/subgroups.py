"""`voxbench subgroups`: effects within groups of patients."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json, print_table


def subgroups_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    table: Annotated[Path, typer.Option(help="CSV with a column `patient` or `case`, and others.")],
    by: Annotated[str, typer.Option(help="Its column; numbers are cut into thirds.")],
    arm: Annotated[str | None, typer.Option(help="Only this arm, or how its label begins.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare it with this arm; its scratch twin by default.")
    ] = None,
    metric: MetricName = "dice",
    margin: Margin = None,
    json: Json = False,
) -> None:
    """Take effects apart by scanner, site, sex or age, and test whether the groups differ."""
    from voxbench.analyses.subgroups.tables import effects_by_column

    found = effects_by_column(directory, table, by, metric, margin, arm, against)
    if json:
        told = {
            "groups": found.groups.rows,
            "contrasts": found.contrasts.rows,
            "sentences": found.sentences,
        }
        print_json(told)
        return
    for made in (found.groups, found.contrasts):
        if made.rows:
            print_table(made)
    print("\n".join(found.sentences))
