"""Arms as the recipe has them and tuned, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voxbench.analyses.effects import Effect
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.pairing import Pair
from voxbench.analyses.table import Column, Table, interval_column, number, or_dash, plain_columns
from voxbench.records import Facts
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import bootstrap
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.metric import Metric


@dataclass(frozen=True)
class Beside:
    """An arm by the recipe as it is, and tuned.

    Attributes:
        arm: tuned.
        default, tuned: means over the pairs of a case and a class that both have.
        gain: tuned − default.
        default_effect, tuned_effect: against the scratch twin, default by default, tuned by tuned.
    """

    arm: Group
    default: float
    tuned: float
    gain: Interval
    default_effect: Effect | None
    tuned_effect: Effect | None


def beside(
    groups: Sequence[Group], effects: Sequence[Effect], records: Mapping[str, Facts], metric: Metric
) -> list[Beside]:
    """Every tuned arm beside itself as the recipe has it, wherever both have records.

    Args:
        groups: of all arms.
        effects: of those with a twin.
        records: key → record.
        metric: of the scores.
    """
    known = {(effect.where, effect.arm): effect for effect in effects}
    there = [group for group in groups if group.keys]
    return [
        _beside(Pair(group, other, other.arm, metric), known)
        for group in there
        for other in there
        if (tuned := records[group.keys[0][1]].cell.get("tuned"))
        and not records[other.keys[0][1]].cell.get("tuned")
        and _untuned(group, records[group.keys[0][1]], tuned)
        == _untuned(other, records[other.keys[0][1]], tuned)
    ]


def _untuned(group: Group, record: Facts, tuned: Mapping[str, Any]) -> object:
    """What an arm has in common by the recipe and tuned: all but the values that were chosen."""
    adaptation = group.where.adaptation.removesuffix("tuned").removesuffix(", ") or "full"
    recipe = {
        name: value
        for name, value in record.cell["recipe"].items()
        if f"recipe.{name}" not in tuned["values"]
    }
    data = record.data and (record.data.fingerprint, record.data.split_sha256)
    where = group.where.task, group.where.test, group.where.fraction, adaptation, group.arm
    return where, data, record.metrics_version, record.smoke, record.cell.get("limit"), recipe


def _beside(pair: Pair, known: Mapping[tuple[Where, str], Effect]) -> Beside:
    values = pair.shared(pair.metric.key).values
    tuned, default = (float(nanmean(nanmean(own, axis=1), axis=0)) for own in values)
    most, gain = pair.metric.most, bootstrap(pair.difference())
    of_default = known.get((pair.other.where, pair.other.arm)) if pair.other else None
    return Beside(
        arm=pair.arm,
        default=default,
        tuned=tuned,
        gain=gain.within(-most, most),
        default_effect=of_default,
        tuned_effect=known.get((pair.arm.where, pair.arm.arm)),
    )


def beside_table(rows: Sequence[Beside], metric: Metric) -> Table:
    """Default and tuned side by side, and whether tuning changes what the pre-training is worth."""
    digits = metric.digits
    return Table(
        f"tuned-{metric.key}",
        "Default and tuned",
        f"{metric.title} of test cases by the recipe as it is and with the values that were "
        "chosen for the arm, on the pairs of a case and a class that both have. Gain: tuned − "
        "default, with its 95% interval. Effects are those against the scratch twin, which is "
        "tuned where the arm is.",
        [
            *plain_columns("task", "fraction", "adaptation", "arm"),
            Column("default", show=number(digits), number=True),
            Column("tuned", show=number(digits), number=True),
            interval_column("gain [95%]", "gain", digits, signed=True),
            interval_column("effect by default", "default_effect", digits, signed=True),
            Column("by default", ("default_verdict",), or_dash),
            interval_column("effect tuned", "tuned_effect", digits, signed=True),
            Column("verdict tuned", ("tuned_verdict",), or_dash),
            Column("tuning GPU h", ("tuning_gpu_hours",), number(3), True),
            Column("tuning CPU h", ("tuning_cpu_hours",), number(3), True),
        ],
        [_told(row) for row in rows],
    )


def _told(row: Beside) -> dict[str, Any]:
    where = row.arm.where
    found: dict[str, Any] = {
        "task": where.task,
        "fraction": where.fraction,
        "adaptation": where.adaptation,
        "arm": row.arm.arm,
        "default": row.default,
        "tuned": row.tuned,
        **_ends("gain", row.gain),
    }
    for name, effect in (("default", row.default_effect), ("tuned", row.tuned_effect)):
        found |= _ends(f"{name}_effect", effect.effect if effect else UNDEFINED)
        found[f"{name}_verdict"] = effect.verdict if effect else ""
    spent = row.arm.spent
    return found | {
        "tuning_gpu_hours": spent.tuning_gpu_hours,
        "tuning_cpu_hours": spent.tuning_cpu_hours,
    }


def _ends(name: str, interval: Interval) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
