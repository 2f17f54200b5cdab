"""The leaderboard: every arm that was measured, with rank, scores, effect and cost."""

from collections.abc import Iterable
from typing import Any

from voxbench.analyses.effect_tables import mean_row
from voxbench.analyses.ranks.leagues import TIES
from voxbench.analyses.table import DASH, Column, Table, hours, interval, number, or_dash
from voxbench.report.site.material import ArmResult
from voxbench.stats.metric import METRICS, Metric

_NAN = float("nan")


def leaderboard(results: Iterable[ArmResult], metric: Metric) -> Table:
    """One row an arm, fraction and task. Smoke runs have no place, and none is given here."""
    rows = [_row(result) for result in sorted(results, key=_order)]
    signed = interval(metric.digits, signed=True)
    return Table(
        f"leaderboard-{metric.key}",
        "Leaderboard",
        f"Ranks by {metric.label} among the arms of one task, fraction and recipe. {TIES} "
        "Effects are arm − scratch twin of the same network.",
        [
            Column("place", show=_whole, number=True),
            Column("tied"),
            Column("arm"),
            Column("task"),
            Column("fraction"),
            *_named(rows, "adaptation", "full"),
            *_named(rows, "recipe", ""),
            *_named(rows, "smoke", ""),
            _score(metric),
            Column("arm − twin [95%]", ("effect", "effect_low", "effect_high"), signed, True),
            Column("verdict", show=or_dash),
            Column("rank [95%]", ("rank", "rank_low", "rank_high"), interval(1), True),
            *(_score(other) for other in METRICS.values() if other is not metric),
            Column("strategy"),
            Column("contamination"),
            Column("labelled", ("train_patients",), number(0), True),
            Column("patients", number=True),
            Column("runs", number=True),
            Column("failed", number=True),
            Column("fit s/run", ("fit_seconds",), number(1), True),
            Column("all runs", ("cpu_hours", "gpu_hours"), hours, True),
            Column("pre-training", ("pretraining_cpu_hours", "pretraining_gpu_hours"), hours, True),
        ],
        rows,
    )


def _score(metric: Metric) -> Column:
    keys = (metric.key, f"{metric.key}_low", f"{metric.key}_high")
    return Column(f"{metric.label} [95%]", keys, interval(metric.digits), True)


def _order(result: ArmResult) -> tuple[Any, ...]:
    rank, where = result.rank, result.group.where
    patients = result.group.train_patients
    known = 0 if patients != patients else patients
    own = (rank.place, rank.rank) if rank else (10**6, _NAN)
    return where.task, where.adaptation, where.setting, known, where.fraction, *own


def _row(result: ArmResult) -> dict[str, Any]:
    mean = mean_row(result.mean)
    mean |= {"strategy": result.records[0].arm.strategy, "recipe": result.recipe}
    mean["smoke"] = "smoke" if result.group.smoke else ""
    rank, effect = result.rank, result.effect
    mean |= {
        "place": rank.place if rank else _NAN,
        "tied": rank.group if rank else "",
        "rank": rank.rank if rank else _NAN,
        "rank_low": rank.rank_low if rank else _NAN,
        "rank_high": rank.rank_high if rank else _NAN,
        "rank_note": result.gaps if rank else "",
        "twin": effect.other if effect else "",
        "effect": effect.effect if effect else _NAN,
        "effect_low": effect.low if effect else _NAN,
        "effect_high": effect.high if effect else _NAN,
        "verdict": effect.verdict if effect else "",
    }
    mean["pretraining_volumes"] = mean.pop("scale").volumes
    return mean


def _named(rows: list[dict[str, Any]], name: str, usual: str) -> list[Column]:
    return [Column(name)] if {row[name] for row in rows} - {usual} else []


def _whole(value: float) -> str:
    return DASH if value != value else str(int(value))
