"""The leaderboard: every arm that was measured, with rank, scores, effect and cost."""

from collections.abc import Iterable
from typing import Any

from voxbench.analyses.ranks.league import TIES
from voxbench.analyses.table import (
    DASH,
    Column,
    Table,
    as_row,
    hours,
    interval,
    interval_column,
    number,
    or_dash,
    plain_columns,
)
from voxbench.reporting.site.material import ArmResult
from voxbench.stats.interval import UNDEFINED
from voxbench.stats.metric import FALSE_ALARMS, METRICS, Metric

_NAN = float("nan")


def leaderboard(results: Iterable[ArmResult], metric: Metric) -> Table:
    """One row an arm, fraction and task. Smoke runs have no place, and none is given here."""
    rows = [_row(result) for result in sorted(results, key=_order)]
    signed = interval(metric.digits, signed=True)
    return Table(
        f"leaderboard-{metric.key}",
        "Leaderboard",
        f"Ranks by {metric.label} among the arms of one task, fraction and recipe. {TIES} "
        "Effects are arm − scratch twin of the same network, with intervals that hold at once for "
        "all comparisons with a twin in this report.",
        [
            Column("place", show=_whole, number=True),
            *plain_columns("tied", "arm", "task", "fraction"),
            *_named(rows, "adaptation", "full"),
            *_named(rows, "recipe", ""),
            *_named(rows, "smoke", ""),
            _score(metric),
            Column(
                "arm − twin [95%, all rows]", ("effect", "effect_low", "effect_high"), signed, True
            ),
            Column("verdict", show=or_dash),
            interval_column("rank [95%]", "rank", 1),
            *(_alarms() if any(row["false_alarms"] == row["false_alarms"] for row in rows) else []),
            Column("note", ("rank_note",)),
            *(_score(other) for other in METRICS.values() if other is not metric),
            Column("converged", show=or_dash),
            *plain_columns("strategy", "contamination"),
            Column("labelled", ("train_patients",), number(0), True),
            *plain_columns("patients", "runs", "failed", number=True),
            Column("fit s/run", ("fit_seconds",), number(1), True),
            Column("all runs", ("cpu_hours", "gpu_hours"), hours, True),
            Column("pre-training", ("pretraining_cpu_hours", "pretraining_gpu_hours"), hours, True),
        ],
        rows,
    )


def _alarms() -> list[Column]:
    metric = FALSE_ALARMS["false_alarms"]
    return [
        interval_column("false alarms [95%]", metric.key, metric.digits),
        Column("false alarms, arm and twin", ("alarms_verdict",), or_dash),
    ]


def _score(metric: Metric) -> Column:
    return interval_column(f"{metric.label} [95%]", metric.key, metric.digits)


def _order(result: ArmResult) -> tuple[Any, ...]:
    rank, where = result.rank, result.group.where
    patients = result.group.train_patients
    known = 0 if patients != patients else patients
    own = (rank.place, rank.rank.mean) if rank else (10**6, _NAN)
    return where.task, where.adaptation, where.setting, known, where.fraction, *own


def _row(result: ArmResult) -> dict[str, Any]:
    rank, effect = result.rank, result.effect
    row = as_row(result.mean, "scale")
    row |= {
        "strategy": result.records[0].arm.strategy,
        "recipe": result.recipe,
        "smoke": "smoke" if result.group.smoke else "",
        "place": rank.place if rank else _NAN,
        "tied": rank.group if rank else "",
    }
    row |= zip(("rank", "rank_low", "rank_high"), rank.rank if rank else UNDEFINED, strict=True)
    notes = [rank.note, result.gaps] if rank else []
    row |= {"rank_note": "; ".join(filter(None, notes)), "twin": effect.other if effect else ""}
    ends = ("effect", "effect_low", "effect_high")
    row |= zip(ends, effect.effect if effect else UNDEFINED, strict=True)
    row |= {
        "verdict": effect.verdict if effect else "",
        "alarms_verdict": effect.alarms_verdict if effect else "",
    }
    row["pretraining_volumes"] = result.mean.scale.volumes
    return row


def _named(rows: list[dict[str, Any]], name: str, usual: str) -> list[Column]:
    return [Column(name)] if {row[name] for row in rows} - {usual} else []


def _whole(value: float) -> str:
    return DASH if value != value else str(int(value))
