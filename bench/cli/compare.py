"""`voxbench compare`: two arms of one folder against each other."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Json
from bench.cli.report import Margin, Metric


def compare(
    arm_a: Annotated[str, typer.Argument(help="An arm, or how its label begins.")],
    arm_b: Annotated[str, typer.Argument(help="The arm to compare it with.")],
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    metric: Metric = "dice",
    margin: Margin = None,
    json: Json = False,
) -> None:
    """Compare two arms on the patients and runs they share, at each fraction of each task."""
    from bench.report.compare import compare

    found = compare(directory, arm_a, arm_b, metric, margin)
    if json:
        import json as writer

        from bench.report.tables import plain

        print(writer.dumps([plain(row) for row in found.rows], indent=1))  # noqa: T201
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bench.report.tables import texts

    shown = Table(box=None, title=found.caption, title_justify="left", title_style="")
    for column in found.columns:
        shown.add_column(column.title, justify="right" if column.number else "left")
    for line in texts(found):
        shown.add_row(*map(Text, line))  # as Text, since [ ] in a label is no markup
    Console().print(shown)
