"""The page of a result, the records behind every number: runs, recipe, data, weights, cases."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from voxbench.analyses.groups import Run
from voxbench.analyses.table import (
    DASH,
    Column,
    Table,
    hours,
    interval,
    number,
    or_dash,
    plain_columns,
)
from voxbench.records import Facts, Scored
from voxbench.records.convergence import Convergence, convergence
from voxbench.records.places import without_places
from voxbench.records.scored import scores_of
from voxbench.reporting.people import few
from voxbench.reporting.site.html import HtmlTable, html_table
from voxbench.reporting.site.material import ArmResult, Material, plugin_of
from voxbench.stats.arrays import nanmean
from voxbench.stats.metric import FALSE_ALARMS, METRICS, Metric

_NAN = float("nan")


class ResultPage(NamedTuple):
    """What a result's page shows beside its cases.

    Attributes:
        scores: metric → mean with its interval, shown.
        effect: the verdict in words; "" for scratch.
        seen: whether its weights know the test cases, and why that is not known.
        runs: a row a training.
        facts: heading → name → value, of recipe, data, weights and environment.
    """

    result: ArmResult
    scores: dict[str, str]
    effect: dict[str, str]
    seen: tuple[str, str]
    runs: HtmlTable
    facts: dict[str, dict[str, str]]


def result_page(material: Material, result: ArmResult) -> ResultPage:
    """Put the page of a result together."""
    scores = {
        metric.label: interval(metric.digits)(*result.mean.scores[key])
        for key, metric in (METRICS | FALSE_ALARMS).items()
        if key in METRICS or not math.isnan(result.mean.scores[key].mean)
    }
    return ResultPage(
        result,
        scores,
        _effect(result, material.metric),
        (result.group.contamination, why_seen(result)),
        _runs(material, result),
        _facts(next((r for r in result.records if r.status == "ok"), result.records[0])),
    )


def why_seen(result: ArmResult) -> str:
    """What its weights share with the test cases, or why nobody knows; "" where nothing is told."""
    told = (r.contamination for r in result.records if r.contamination)
    reasons = dict.fromkeys(without_places(few(one.shared) or one.reason) for one in told)
    return "; ".join(reason.rstrip(".") for reason in reasons if reason)


def _effect(result: ArmResult, metric: Metric) -> dict[str, str]:
    effect = result.effect
    if effect is None:
        return {}
    shown = interval(metric.digits, signed=True)(*effect.effect)
    return {
        "against": effect.other,
        f"arm − twin, {metric.label} [95%]": shown,
        "verdict": effect.verdict or "not compared",
        "patients and runs": f"{effect.patients} and {effect.runs}",
        **({"note": effect.note} if effect.note else {}),
    }


def _runs(material: Material, result: ArmResult) -> HtmlTable:
    table = Table(
        "runs",
        "Trainings",
        "One row a training; its record is the JSON file behind the numbers. Scores are means over "
        "patients. Converged is told by a training's own curves and predictions.",
        [
            Column("record", ("key",)),
            Column("status"),
            *plain_columns("draw", "seed", number=True),
            *(
                Column(metric.label, (key,), number(metric.digits), True)
                for key, metric in METRICS.items()
            ),
            Column("failed cases", ("failed_cases",), str, True),
            Column("converged", ("converged", "reason"), _reasoned),
            Column("steps", show=number(0), number=True),
            Column("fit s", ("fit_seconds",), number(1), True),
            Column("cost", ("cpu_hours", "gpu_hours"), hours, True),
            Column("peak MB", ("peak_memory_mb",), number(0), True),
            *plain_columns("sweep", "commit"),
            Column("reason", ("failure",), or_dash),
        ],
        [_run(result, record) for record in result.records],
    )
    return html_table(
        table,
        lambda row, column: material.record(row["key"]) if column.title == "record" else "",
        header="record",
    )


def _run(result: ArmResult, record: Scored) -> dict[str, Any]:
    run = Run(record.arm.draw, record.arm.seed)
    means = dict.fromkeys(METRICS, _NAN)
    if record.status == "ok":
        column = result.group.runs.index(run)
        means = {
            key: float(nanmean(result.group.scores[key][:, column], axis=0)) for key in METRICS
        }
    cost = record.cost.model_dump() if record.cost else {}
    converged = convergence([record]) if record.status == "ok" else Convergence("unknown")
    names = ("steps", "fit_seconds", "cpu_hours", "gpu_hours", "peak_memory_mb")
    reason = (record.failure or "").strip().splitlines()
    return {
        "key": record.key,
        "status": "smoke" if record.smoke else record.status,
        **run._asdict(),
        **means,
        "failed_cases": scores_of(record).failed,
        "converged": converged.word,
        "reason": converged.reason,
        **{name: cost.get(name, 0.0 if name.endswith("hours") else _NAN) for name in names},
        "sweep": record.sweep,
        "commit": str(record.environment.get("commit") or DASH),
        "failure": reason[-1] if reason else "",
    }


def _reasoned(word: str, reason: str) -> str:
    return f"{word}: {reason}" if reason else or_dash(word)


def _facts(record: Facts) -> dict[str, dict[str, str]]:
    """What the runs have in common, as told by one of them."""
    found: dict[str, dict[str, str]] = {}
    for heading, name in (("Recipe", "recipe"), ("Pre-training", "pretraining")):
        value = record.cell.get(name)
        if isinstance(value, Mapping) and value:
            found[heading] = flat(value)
    for part in ("baseline", "task", "source"):
        plugin, fields = plugin_of(record, part)
        if plugin:
            found[part.capitalize()] = {"plugin": plugin, **flat(fields)}
    if record.data:
        data = record.data
        found["Data"] = {
            "labelled patients": str(data.train_patients),
            "training, validation and test cases": (
                f"{len(data.train)}, {len(data.validation)}, {len(data.test)}"
            ),
            "fingerprint": data.fingerprint,
            "split": data.split_sha256,
        }
    if record.imported:
        found["Imported"] = flat(record.imported.model_dump())
    if record.environment:
        found["Environment"] = flat(record.environment)
    return found


def flat(value: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested fields as one list of names and texts; empty ones are left out."""
    found: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, Mapping):
            found |= flat(item, f"{before}{name} ")
        elif isinstance(item, list | tuple):
            if item:
                found[f"{before}{name}"] = without_places(", ".join(map(str, item)))
        elif item is not None and item != "":
            found[f"{before}{name}"] = without_places(str(item))
    return found
