"""`voxbench subgroups`: effects within groups of patients."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import table as show


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
    from voxbench.report.subgroups import by_column
    from voxbench.report.tables import plain, texts

    found = by_column(directory, table, by, metric, margin, arm, against)
    if json:
        import json as writer

        told = {
            "groups": [plain(row) for row in found.groups.rows],
            "contrasts": [plain(row) for row in found.contrasts.rows],
            "sentences": found.sentences,
        }
        print(writer.dumps(told, indent=1))  # noqa: T201
        return
    for made in (found.groups, found.contrasts):
        if made.rows:
            print(f"{made.title}: {made.caption}")  # noqa: T201
            titles = [column.title for column in made.columns]
            show([dict(zip(titles, line, strict=True)) for line in texts(made)])
    print("\n".join(found.sentences))  # noqa: T201
