"""`voxbench report`: tables, curves and findings from a folder of records."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Json

Metric = Annotated[str, typer.Option(help="Of effects and curves: dice, nsd or hd95_mm.")]
Margin = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Effects inside ± this are practically none; 0.01 for Dice and NSD, 1 mm for HD95.",
    ),
]


def report(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write; DIRECTORY/report by default."),
    ] = None,
    metric: Metric = "dice",
    margin: Margin = None,
    json: Json = False,
) -> None:
    """Write tables, curves and a page that says what was found, from the records of a folder."""
    from bench.report import words
    from bench.report.report import SMOKE, report
    from bench.stats.metric import find_metric

    made = report(directory, out or directory / "report", metric, margin)
    if json:
        import json as writer

        print(writer.dumps(made.plain(), indent=1))  # noqa: T201
        return
    lines = [SMOKE.replace("*", "")] if made.smoke else []
    lines += made.opening
    for heading, sentences in words.chapters(made.effects, find_metric(metric)):
        lines += ["", heading, *(f"  {sentence}" for sentence in sentences)]
    print("\n".join([*lines, "", f"report: {made.page}"]))  # noqa: T201
