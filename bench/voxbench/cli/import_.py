"""`voxbench import`: results of others as records."""

from pathlib import Path
from typing import Annotated

import typer


def import_verb(
    files: Annotated[
        list[Path], typer.Argument(help="nnU-Net's summary.json, or CSV: wide or long.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the records.")],
    task: Annotated[str | None, typer.Option(help="What was segmented.")] = None,
    arm: Annotated[
        str | None,
        typer.Option(
            help="Whose scores; else the path tells: ARM_dsc.csv, ARM/dsc.csv, ARM/summary.json, "
            "ARM/fold_0/validation/summary.json."
        ),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Of a wide file whose name doesn't tell.")
    ] = None,
    fraction: Annotated[str, typer.Option(help="Of the training set.")] = "100%",
    labelled: Annotated[int, typer.Option(min=0, help="Patients trained on; 0: unknown.")] = 0,
    source: Annotated[str, typer.Option(help="Who published the scores.")] = "",
) -> None:
    """Turn published scores into records that say so, to be ranked and compared."""
    from voxbench.external.records import import_scores
    from voxbench.records import Store

    store = Store(output)
    for record in import_scores(files, task, arm, metric, fraction, labelled, source):
        store.write(record)
        classes = {name for case in record.cases for name in case.classes}
        print(
            f"{record.arm.task}, {record.arm.baseline}: {len(record.cases)} cases, "
            f"{len(classes)} classes → {store.path(record.key)}"
        )
