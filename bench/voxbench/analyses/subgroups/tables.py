"""Effects within groups of patients, from the records of a folder and a table of cases."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.analyses.effect_tables import where_columns
from voxbench.analyses.pairing import Pair, pair_arms, twins
from voxbench.analyses.read import read_groups, records_in
from voxbench.analyses.subgroups.case_table import CaseTable, read_case_table, values_by_patient
from voxbench.analyses.subgroups.effects import SMALLEST, subgroup_effects
from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    interval_column,
    or_dash,
    p_value,
)
from voxbench.errors import SpecError
from voxbench.records import Scored
from voxbench.records.scored import scores_of
from voxbench.stats.metric import Metric, find_metric

_SHOWN = 10  # names in a sentence


class SubgroupTables(NamedTuple):
    """Effects in groups, contrasts between groups, and who was left out."""

    groups: Table
    contrasts: Table
    sentences: list[str]


def effects_by_column(
    folder: Path,
    table: Path,
    column: str,
    metric: str = "dice",
    margin: float | None = None,
    arm: str | None = None,
    against: str | None = None,
) -> SubgroupTables:
    """The effects of a folder within each group of patients, and between the groups.

    Args:
        folder: the output folder of a run.
        table: CSV with a column `patient` or `case`.
        column: what patients are grouped by; numbers are cut into thirds.
        metric: a key of `stats.metric.ALL`.
        margin: of practical equivalence; None takes the metric's own.
        arm: only this one; None is every arm with a twin.
        against: what `arm` is compared with; None is its twin.

    Raises:
        SpecError: table, column, arm or metric is wrong, or the table knows no test patient.
        RecordError: there is no record.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    records = records_in(folder)
    pairs = _pairs(records, chosen, arm, against)
    known = read_case_table(table)
    tasks = sorted({pair.arm.where.task for pair in pairs})
    values = {task: _values(records, task, known, column) for task in tasks}
    missing = {task: _missing(pairs, task, values[task]) for task in tasks}
    covered = [pair for pair in pairs if set(pair.arm.patients) & set(values[pair.arm.where.task])]
    if not covered:
        raise SpecError(
            f"{table}: knows no test patient of {', '.join(tasks) or 'any task'}: it has "
            f"{_names(sorted(known))}; the records have "
            f"{_names([name for names in missing.values() for name in names])}."
        )
    effects, contrasts = subgroup_effects(covered, values, margin)
    return SubgroupTables(
        _group_table([as_row(effect) for effect in effects], chosen, margin, column),
        _contrast_table([as_row(contrast) for contrast in contrasts], chosen, column),
        list(_sentences(missing, covered)),
    )


def _pairs(
    records: Sequence[Scored], metric: Metric, arm: str | None, against: str | None
) -> list[Pair]:
    groups = read_groups(records)
    if arm is None:
        if against is not None:
            raise SpecError("--against needs --arm: whose effect is it?")
        return twins(groups, metric)
    return pair_arms(groups, arm, against, metric)


def _values(
    records: Sequence[Scored], task: str, known: CaseTable, column: str
) -> Mapping[str, str]:
    tested = [scores_of(record) for record in records if record.arm.task == task]
    cases = {
        case: patient
        for scores in tested
        for case, patient in zip(scores.cases, scores.patients, strict=True)
    }
    return values_by_patient(known, column, cases)


def _missing(pairs: Sequence[Pair], task: str, values: Mapping[str, str]) -> list[str]:
    tested = {p for pair in pairs if pair.arm.where.task == task for p in pair.arm.patients}
    return sorted(tested - set(values))


def _sentences(missing: Mapping[str, list[str]], covered: Sequence[Pair]) -> Iterator[str]:
    used = {pair.arm.where.task for pair in covered}
    for task, names in missing.items():
        if task not in used:
            yield f"{task}: left out: no test patient of it is in the table."
        elif names:
            yield (
                f"{task}: {len(names)} test patient{'s' if len(names) > 1 else ''} not in the "
                f"table, and not tested: {_names(names)}."
            )


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _group_table(
    rows: Sequence[dict[str, Any]], metric: Metric, margin: float, column: str
) -> Table:
    return Table(
        f"subgroups-{metric.key}",
        "Subgroups",
        f"Effect on {metric.label} within each group of patients by {column} (more than 6 "
        "different numbers are cut into thirds), paired by patient: intervals of the mean over "
        "patients and runs, which hold for all rows at once (Bonferroni), equivalent within "
        f"±{margin:g}. Groups of fewer than {SMALLEST} patients are not tested.",
        [
            *_compared(rows),
            Column(column, ("group",), or_dash),
            Column("patients", number=True),
            interval_column("effect [95%, all rows]", "effect", metric.digits, signed=True),
            Column("p", show=p_value, number=True),
            Column("adjusted p", ("p_adjusted",), p_value, True),
            Column("verdict", show=or_dash),
            Column("note"),
        ],
        rows,
    )  # fmt: skip


def _contrast_table(rows: Sequence[dict[str, Any]], metric: Metric, column: str) -> Table:
    return Table(
        f"contrasts-{metric.key}",
        "Between groups",
        f"Does the effect on {metric.label} differ between groups by {column}? Effect in A − "
        "effect in B: Student's on patients and runs, intervals for all rows at once (Bonferroni).",
        [
            *_compared(rows),
            Column("A", ("group",), or_dash),
            Column("B", ("against",), or_dash),
            interval_column("A − B [95%, all rows]", "difference", metric.digits, signed=True),
            Column("p", show=p_value, number=True),
            Column("adjusted p", ("p_adjusted",), p_value, True),
        ],
        rows,
    )  # fmt: skip


def _compared(rows: Sequence[dict[str, Any]]) -> list[Column]:
    return [*where_columns(rows), Column("arm"), Column("against", ("other",))]
