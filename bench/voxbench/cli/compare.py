"""`voxbench compare`: two arms of one folder against each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import caution, table

if TYPE_CHECKING:
    from voxbench.report.tables import Table


def compare_verb(
    arm_a: Annotated[str, typer.Argument(help="An arm, or how its label begins.")],
    arm_b: Annotated[str, typer.Argument(help="The arm to compare it with.")],
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    metric: MetricName = "dice",
    margin: Margin = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="One mixed-effects model a fraction, over all tasks.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare two arms on the patients and runs they share, at each fraction of each task."""
    from voxbench.report.compare import compare, compare_mixed

    if mixed:
        found = compare_mixed(directory, arm_a, arm_b, metric)
    else:
        found = compare(directory, arm_a, arm_b, metric, margin)
    caution(directory)
    if json:
        import json as writer

        from voxbench.report.tables import plain

        print(writer.dumps([plain(row) for row in found.rows], indent=1))  # noqa: T201
        return
    print(found.caption)  # noqa: T201
    table(_shown(found))


def _shown(found: "Table") -> list[dict[str, str]]:
    """Rows without the columns that say nothing here; `--json` has them all."""
    from voxbench.report.tables import texts

    body = texts(found)
    kept = [
        (i, column.title) for i, column in enumerate(found.columns)
        if column.title not in ("runs", "p") and any(line[i] not in ("", "0") for line in body)
    ]  # fmt: skip
    return [{title: line[i] for i, title in kept} for line in body]
