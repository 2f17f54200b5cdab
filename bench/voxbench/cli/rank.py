"""`voxbench rank`: all arms of a folder against each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json, print_table, warn_of_races

if TYPE_CHECKING:
    from voxbench.analyses.ranks.rank import Rankings


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
    full: Annotated[
        bool, typer.Option("--full", help="Also print pairs, classes and other rankings.")
    ] = False,
    json: Json = False,
) -> None:
    """Rank all arms with ties, and say which pairs are separated, by class and overall."""
    from voxbench.analyses.ranks.league import TIES
    from voxbench.analyses.ranks.rank import rank_folder
    from voxbench.reporting.rankings import save_rankings

    found = rank_folder(directory, metric, margin, by, missing)  # type: ignore[arg-type]
    warn_of_races(directory)
    written = save_rankings(found.made, out) if out else []
    if json:
        _print_json(found, written)
        return
    for ranking in found.made:
        for table in ranking.tables if full else ranking.tables[:1]:
            own = table.caption.partition(TIES)[0].rstrip()
            print_table(table._replace(caption=own))
        print("\n".join(ranking.sentences) + "\n")
    print(TIES)
    for reason in found.left_out:
        print(f"not ranked: {reason}")
    if out:
        print(f"written: {len(written)} files in {out}")


def _print_json(found: "Rankings", written: list[Path]) -> None:
    told = [
        {
            "scope": ranking.league.board.scope.told | {"recipe": ranking.recipe},
            "sentences": ranking.sentences,
            **{table.title.lower(): table.rows for table in ranking.tables},
        }
        for ranking in found.made
    ]
    files = [str(path) for path in written]
    print_json({"rankings": told, "not_ranked": found.left_out, "files": files})
