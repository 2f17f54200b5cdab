"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Spec = Annotated[str, typer.Argument(help="Name of a sweep (see `voxbench ls sweeps`) or a file.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder of the records; runs/<sweep> by default."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key of the sweep: recipe.steps=50, 'seeds=[0,1]'."),
]
Include = Annotated[
    list[Path] | None,
    typer.Option("--include-path", help="Folder with loose plugin files (*.py)."),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="At most N steps and N test cases a cell; records are marked smoke."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, help="Worker processes; by default one a GPU, else one a core."
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run failed cells again.")]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", min=0.01, help="Minutes after which a cell or a pre-training fails."
    ),
]
Predictions = Annotated[
    bool,
    typer.Option(
        "--predictions",
        help="Keep the label maps of the test cases, for case pages and submissions.",
    ),
]
KeepWeights = Annotated[
    bool,
    typer.Option(
        "--keep-weights",
        help="Keep the weights of trained networks, for ensembles and models of uncertainty; "
        "`voxbench plan` tells their size.",
    ),
]
Trust = Annotated[
    list[Path] | None,
    typer.Option(help="A weights file that may run code while it is read; it is on the record."),
]
MetricName = Annotated[
    str,
    typer.Option(
        help="Of effects and curves: dice, nsd, hd95_mm; false_alarms, false_alarm_ml; dice_flare, "
        "nsd_flare, where two empty masks score 1."
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Effects inside ± this are practically none; 0.01 for Dice and NSD, 1 mm for HD95.",
    ),
]
Cells = Annotated[bool, typer.Option("--cells", help="List every cell, not only counts of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def trusted(files: list[Path] | None) -> list[Path]:
    """The files that may run code, resolved.

    Raises:
        SpecError: one does not exist.
    """
    from voxbench.errors import SpecError

    for file in files or []:
        if not file.is_file():
            raise SpecError(f"--trust {file}: no such file.")
    return [file.resolve() for file in files or []]


def include_all(folders: list[Path] | None) -> list[Path]:
    """Register the loose plugins; the folders as absolute paths."""
    from voxbench.plugins import include

    found = [folder.resolve() for folder in folders or []]
    for folder in found:
        include(folder)
    return found
