"""`voxbench rank`: all arms of a folder against each other."""

from pathlib import Path
from typing import Annotated, Any

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json, print_table, warn_of_races


def rank_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write tables and figures here.")
    ] = None,
    metric: MetricName = "dice",
    margin: Margin = None,
    by: Annotated[str, typer.Option(help="Aggregation: tasks, patients or borda.")] = "tasks",
    missing: Annotated[
        str, typer.Option(help="Policy for missing trainings: complete, available or worst.")
    ] = "complete",
    json: Json = False,
) -> None:
    """Rank all arms with ties, and say which pairs are separated, by class and overall."""
    from voxbench.report import rank as ranking

    found = ranking.rank(directory, metric, margin, by, missing)  # type: ignore[arg-type]
    warn_of_races(directory)
    written = ranking.write(found.places, out) if out else []
    if json:
        _print_json(found, written)
        return
    for place in found.places:
        for made in place.tables:
            print_table(made)
        print("\n".join(place.sentences) + "\n")  # noqa: T201
    for reason in found.left_out:
        print(f"not ranked: {reason}")  # noqa: T201
    if out:
        print(f"written: {len(written)} files in {out}")  # noqa: T201


def _print_json(found: Any, written: list[Path]) -> None:
    told = [
        {
            "scope": place.league.board.scope._asdict() | {"recipe": place.recipe},
            "sentences": place.sentences,
            **{made.title.lower(): made.rows for made in place.tables},
        }
        for place in found.places
    ]
    files = [str(path) for path in written]
    all_told = {"rankings": told, "not_ranked": found.left_out, "files": files}
    print_json(all_told)
