"""The leaderboard: every arm that was measured, with rank, scores, effect and cost."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from voxbench.analyses.table import DASH, Column, Table, hours, interval, number
from voxbench.report.site.material import Result
from voxbench.report.site.standing import TIES
from voxbench.stats.metric import METRICS, Metric

_NAN = float("nan")


def leaderboard(results: Iterable[Result], metric: Metric) -> Table:
    """One row an arm, fraction and task. Smoke runs have no place, and none is given here."""
    rows = [_row(result) for result in sorted(results, key=_order)]
    signed = interval(metric.digits, signed=True)
    return Table(
        f"leaderboard-{metric.key}",
        "Leaderboard",
        f"Ranks by {metric.label} among the arms of one task, fraction and recipe. {TIES} "
        "Effects are arm − scratch twin of the same network.",
        [
            Column("place", ("place",), _whole, True),
            Column("tied", ("tied",)),
            Column("arm", ("arm",)),
            Column("task", ("task",)),
            Column("fraction", ("fraction",)),
            *_named(rows, "adaptation", "full"),
            *_named(rows, "recipe", ""),
            *_named(rows, "smoke", ""),
            _score(metric),
            Column("arm − twin [95%]", ("effect", "effect_low", "effect_high"), signed, True),
            Column("verdict", ("verdict",), lambda word: word or DASH),
            Column("rank [95%]", ("rank", "rank_low", "rank_high"), interval(1), True),
            *(_score(other) for other in METRICS.values() if other is not metric),
            Column("strategy", ("strategy",)),
            Column("contamination", ("contamination",)),
            Column("labelled", ("train_patients",), number(0), True),
            Column("patients", ("patients",), str, True),
            Column("runs", ("runs",), str, True),
            Column("failed", ("failed",), str, True),
            Column("fit s/run", ("fit_seconds",), number(1), True),
            Column("all runs", ("cpu_hours", "gpu_hours"), hours, True),
            Column("pre-training", ("pretraining_cpu_hours", "pretraining_gpu_hours"), hours, True),
        ],
        rows,
    )


def _score(metric: Metric) -> Column:
    keys = (metric.key, f"{metric.key}_low", f"{metric.key}_high")
    return Column(f"{metric.label} [95%]", keys, interval(metric.digits), True)


def _order(result: Result) -> tuple[Any, ...]:
    place = result.standing.place if result.standing else 10**6
    patients = result.group.train_patients
    known = 0 if patients != patients else patients
    where = result.group.where
    rank = result.standing.rank if result.standing else _NAN
    return where.task, where.adaptation, where.setting, known, where.fraction, place, rank


def _row(result: Result) -> dict[str, Any]:
    mean = asdict(result.mean)
    scores = mean.pop("scores")
    for key, (value, low, high) in scores.items():
        mean |= {key: value, f"{key}_low": low, f"{key}_high": high}
    mean |= {"strategy": result.records[0].arm.strategy, "recipe": result.setting}
    mean["smoke"] = "smoke" if result.group.smoke else ""
    standing, effect = result.standing, result.effect
    mean |= {
        "place": standing.place if standing else _NAN,
        "tied": standing.tied if standing else "",
        "rank": standing.rank if standing else _NAN,
        "rank_low": standing.rank_low if standing else _NAN,
        "rank_high": standing.rank_high if standing else _NAN,
        "rank_note": standing.note if standing else "",
        "twin": effect.other if effect else "",
        "effect": effect.effect if effect else _NAN,
        "effect_low": effect.low if effect else _NAN,
        "effect_high": effect.high if effect else _NAN,
        "verdict": effect.verdict if effect else "",
    }
    mean["pretraining_volumes"] = mean.pop("scale").volumes
    return mean


def _named(rows: list[dict[str, Any]], name: str, usual: str) -> list[Column]:
    return [Column(name, (name,))] if {row[name] for row in rows} - {usual} else []


def _whole(value: float) -> str:
    return DASH if value != value else str(int(value))
