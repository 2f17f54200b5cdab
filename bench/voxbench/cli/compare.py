"""`voxbench compare`: arms of one folder against others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json, print_table, warn_of_races

if TYPE_CHECKING:
    from voxbench.analyses.table import Table


def compare_verb(
    arm_a: Annotated[str, typer.Argument(help="An arm, or several: how labels begin, or with *.")],
    arm_b: Annotated[str, typer.Argument(help="The arm, or arms, to compare with.")],
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    metric: MetricName = "dice",
    margin: Margin = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="One mixed-effects model a fraction, over all tasks.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare arms on the patients and runs they share, at each fraction of each task."""
    from voxbench.analyses.comparison import compare_arms, compare_mixed

    if mixed:
        found = compare_mixed(directory, arm_a, arm_b, metric)
    else:
        found = compare_arms(directory, arm_a, arm_b, metric, margin)
    warn_of_races(directory)
    if json:
        print_json(found.rows)
        return
    print_table(_short(found))


_LEFT_OUT = ("runs", "alone [95%]", "p", "Wilcoxon p (patients only)")


def _short(found: "Table") -> "Table":
    """Without the columns that say nothing here; `--json` has them all."""
    body = found.body
    kept = [
        column for i, column in enumerate(found.columns)
        if column.title not in _LEFT_OUT and any(line[i] not in ("", "0") for line in body)
    ]  # fmt: skip
    return found._replace(columns=kept)
