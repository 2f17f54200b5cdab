"""The page of a baseline: its card, the audit of its weights, and its effects."""

from typing import Any, NamedTuple

from voxbench.analyses.settings import with_recipes
from voxbench.errors import VoxbenchError
from voxbench.plugins import BASELINES
from voxbench.records.places import without_places
from voxbench.records.provenance import Weights
from voxbench.reporting.names import slug
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.leaderboard import leaderboard
from voxbench.reporting.site.material import ArmResult, Material


class Audit(NamedTuple):
    """One set of weights, the arms that use it, and how many trainings did."""

    arms: list[str]
    weights: Weights
    trainings: int


class BaselinePage(NamedTuple):
    """What a baseline's page shows; `card` is None where no such plugin is installed."""

    name: str
    card: dict[str, Any] | None
    reason: str
    strategies: list[str]
    networks: list[str]
    audits: list[Audit]
    effects: HtmlTable
    twin_of: HtmlTable
    results: HtmlTable


def baseline_path(name: str) -> str:
    """Its page, from the root of the site."""
    return f"baselines/{slug(name)}.html"


def baseline_page(material: Material, name: str) -> BaselinePage:
    """Put the page of a baseline together."""
    results = [result for result in material.results if result.baseline == name]
    arms = {result.group.arm for result in results}
    labels = {result.group.label for result in results}
    card, reason = _card(name)
    records = [record for result in results for record in result.records]
    return BaselinePage(
        name,
        card,
        reason,
        sorted({record.arm.strategy for record in records}),
        sorted({record.arm.network for record in records}),
        _audits(results),
        _effects(material, "arm", arms, "Effects against the scratch twin", "effects"),
        _effects(material, "other", arms | labels, "Arms that it is the twin of", "twin-of"),
        _results(material, results),
    )


def _card(name: str) -> tuple[dict[str, Any] | None, str]:
    try:
        card = getattr(BASELINES.find(name), "card", None)
    except VoxbenchError as error:
        return None, without_places(str(error))
    if card is None:
        return None, "the plugin has no card."
    return {name: value for name, value in card.model_dump().items() if value not in ("", ())}, ""


def _audits(results: list[ArmResult]) -> list[Audit]:
    """Distinct weights: several seeds load the same ones, but onto other initial tensors."""
    found: dict[tuple[object, ...], Audit] = {}
    for result in results:
        for record in result.records:
            weights = record.weights
            if weights is None:
                continue
            audit = weights.audit
            key = (weights.sha256, audit.hash_after, audit.loaded_share)
            known = found.get(key)
            arms = sorted({*(known.arms if known else []), result.group.arm})
            count = known.trainings + 1 if known else 1
            found[key] = Audit(arms, known.weights if known else weights, count)
    return sorted(found.values(), key=lambda audit: (audit.arms, audit.weights.sha256))


def _effects(material: Material, side: str, arms: set[str], title: str, name: str) -> HtmlTable:
    name = f"effects-{material.metric.key}"
    [table] = [table for table in material.report.tables if table.name == name]
    rows = [row for row in table.rows if row[side] in arms]
    files = material.downloads(table.name, material.out / "tables")
    made = with_recipes(table._replace(name=name, title=title, rows=rows), material.report.recipes)
    return html_table(made, lambda row, _: material.link_of(row), files=files)


def _results(material: Material, results: list[ArmResult]) -> HtmlTable:
    table = leaderboard(results, material.metric)
    made = table._replace(name="results", title="Results")
    return html_table(made, lambda row, _: material.link_of(row))
