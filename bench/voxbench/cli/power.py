"""`voxbench power`: what would settle the undecided comparisons of a folder, and its cost."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json, print_table


def power_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    metric: MetricName = "dice",
    margin: Margin = None,
    json: Json = False,
) -> None:
    """Say how many more seeds, draws or test patients settle what is undecided, and their cost."""
    from voxbench.analyses.power.plan import plan_power

    found = plan_power(directory, metric, margin)
    if json:
        told = {
            "comparisons": found.table.rows,
            "ladder": [budget._asdict() for budget in found.budgets],
            "sentences": found.sentences,
        }
        print_json(told)
        return
    if found.table.rows:
        print_table(found.table)
    print("\n".join(found.sentences))
