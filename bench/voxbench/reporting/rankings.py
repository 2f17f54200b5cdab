"""The files of a ranking: its tables, and the diagrams of critical differences."""

from collections.abc import Sequence
from pathlib import Path

from voxbench.analyses.ranks.rank import Ranking
from voxbench.analyses.ranks.tables import board_stem
from voxbench.reporting.figures.critical import draw_critical
from voxbench.reporting.printer import save_table


def save_rankings(rankings: Sequence[Ranking], folder: Path) -> list[Path]:
    """Write `tables/` and `figures/`."""
    files = []
    for ranking in rankings:
        for table in ranking.tables:
            files += save_table(table, folder / "tables")
        if ranking.friedman:
            board = ranking.league.board
            name = "-".join(filter(None, ["critical", board_stem(board), ranking.recipe]))
            files += draw_critical(ranking.friedman, board.arms, folder / "figures" / name)
    return files
