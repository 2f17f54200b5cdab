"""Write the front page, once for each metric."""

import math
from collections.abc import Sequence

from voxbench.analyses.claims import ClaimResult
from voxbench.analyses.uncertainty.findings import front_sentence
from voxbench.reporting.site.baseline import baseline_path
from voxbench.reporting.site.cards import bibtex, card_of, cited, sources, told_modality
from voxbench.reporting.site.front.declared import declared
from voxbench.reporting.site.front.evidence import gather_evidence
from voxbench.reporting.site.front.page import most_compared, panels
from voxbench.reporting.site.material import Material
from voxbench.reporting.site.pages import Pages
from voxbench.reporting.site.sweeps import sweep_commands
from voxbench.reporting.site.task import task_path
from voxbench.reporting.site.uncertainty import uncertainty_path
from voxbench.stats.metric import METRICS, Metric

PAYS = "Does pre-training pay off in 3D medical segmentation?"
BEST = "Which arm segments best?"


def write_front(material: Material, writer: Pages, claims: Sequence[ClaimResult]) -> None:
    """`index.html` by the report's metric, and a page beside it for each other one."""
    primary = material.metric
    known = {**METRICS, primary.key: primary}
    metrics = [m for m in known.values() if m == primary or _measured(material, m)]
    pages = {m.title: "index.html" if m == primary else f"{m.key}.html" for m in metrics}
    cards = {name: card_of(material.of_task(name)) for name in material.tasks}
    shared = {
        "metrics": list(pages.items()),
        "smoke": material.report.smoke,
        "about": {name: told_modality(card) for name, card in cards.items()},
        "sources": sources(material.report.records),
        "tables": _tables(material),
        "cited": cited(cards, material),
        "declared": declared(claims, material.names),
        "commands": sweep_commands(material),
        "doubt": front_sentence(material.report.doubt.rows),
        "doubted": {name: uncertainty_path(name) for name in material.report.doubt.tasks},
        "tasks": {name: task_path(name) for name in material.tasks},
        "baselines": {name: baseline_path(name) for name in material.baselines},
    }
    for metric in metrics:
        evidence = gather_evidence(material, metric)
        compared = any(result.group.twin for result in evidence.results)
        shown = panels(evidence)
        writer.page(
            "front.html",
            pages[metric.title],
            question=PAYS if compared or not evidence.results else BEST,
            panels=shown,
            first=most_compared(shown),
            metric=metric,
            margin=evidence.margin,
            compared=compared,
            comparisons=len(evidence.effects),
            **shared,
        )
    writer.text("references.bib", bibtex(cards, material))


def _measured(material: Material, metric: Metric) -> bool:
    return any(not math.isnan(r.mean.scores[metric.key].mean) for r in material.results)


def _tables(material: Material) -> list[tuple[str, list[tuple[str, str]]]]:
    found = [
        (table.title, material.downloads(table.name, material.out / "tables"))
        for table in material.report.tables
        if table.rows
    ]
    board = f"leaderboard-{material.metric.key}"
    return [*found, ("All rows", material.downloads(board, material.site / "tables"))]
