"""Published weights from their cards, and corpora from the files that packages register."""

from collections.abc import Mapping
from pathlib import Path

from voxbench.analyses.table import Table
from voxbench.ledger.corpora import corpora as known_corpora
from voxbench.published.catalogue import CatalogueRow, catalogue
from voxbench.records import Store
from voxbench.reporting.printer import pipe_table

RESULTS = Path(__file__).parents[2] / "results"


def weights() -> str:
    """Markdown: every file that a baseline loads, with what the committed records prove."""
    return pipe_table(Table.plain(map(_of_file, catalogue(Store(RESULTS)).rows))).strip()


def _of_file(row: CatalogueRow) -> Mapping[str, str]:
    proved = "".join(f"; {share:.1%} did (sha256 {sha[:8]}…)" for sha, share in row.proved.items())
    return {
        "Baseline": row.baseline,
        "Network": f"{row.network} {row.size}, {row.parameters / 1e6:.2f} M",
        "Strategy": row.strategy,
        "Corpora": ", ".join(row.corpora),
        "Volumes": f"{row.volumes:,}" if row.volumes else "unknown",
        "Must load": f"{row.min_loaded:.1%}{proved}",
        "Source": f"[{row.source}]({row.page})" if row.page else row.source,
        "Licence": row.licence,
    }


def corpora() -> str:
    """Markdown: every corpus, what it holds, and who says so."""
    return pipe_table(
        Table.plain(
            {
                "Corpus": corpus.name,
                "Kind": ", ".join(corpus.kind),
                "Holds": ", ".join(corpus.parents),
                "May hold": ", ".join(corpus.perhaps),
                "All origins known": "yes" if corpus.complete else "no",
                "Source": corpus.source + ("" if corpus.checked else " †"),
            }
            for corpus in known_corpora().all
        )
    ).strip()
