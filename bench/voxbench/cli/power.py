"""`voxbench power`: what would settle the undecided comparisons of a folder, and its cost."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import table


def power_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    metric: MetricName = "dice",
    margin: Margin = None,
    json: Json = False,
) -> None:
    """Say how many more seeds, draws or test patients settle what is undecided, and their cost."""
    from voxbench.report.power import power
    from voxbench.report.tables import plain, texts

    found = power(directory, metric, margin)
    if json:
        import json as writer

        told = {
            "comparisons": [plain(row) for row in found.table.rows],
            "ladder": [rung._asdict() for rung in found.ladder],
            "sentences": found.sentences,
        }
        print(writer.dumps(told, indent=1))  # noqa: T201
        return
    if found.table.rows:
        print(found.table.caption)  # noqa: T201
        titles = [column.title for column in found.table.columns]
        table([dict(zip(titles, line, strict=True)) for line in texts(found.table)])
    print("\n".join(found.sentences))  # noqa: T201
