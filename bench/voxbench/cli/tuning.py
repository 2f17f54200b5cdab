"""`voxbench tuning`: what was chosen for each arm, and what fewer trials would have said."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json
from voxbench.cli.show import print_json, print_table


def tuning_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    best: Annotated[
        bool, typer.Option("--best-of-k", help="What every smaller number of trials gives.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell what the trials of a folder chose for each arm, also while they still run."""
    from voxbench.analyses.best_of import best_table
    from voxbench.analyses.tuning import studies_in, study_table
    from voxbench.errors import RecordError

    studies = studies_in(directory)
    if not studies:
        raise RecordError(f"{directory}: no trials there; run a sweep with [tuning] into it first.")
    if json:
        print_json({"studies": study_table(studies).rows, "best_of_k": best_table(studies).rows})
        return
    print_table(best_table(studies) if best else study_table(studies))
