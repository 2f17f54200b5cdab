"""What the doubt of every arm is worth, as a table for each task."""

from collections.abc import Sequence
from typing import Any

from voxbench.analyses.table import Column, Table, interval_column, number, or_dash, plain_columns
from voxbench.analyses.uncertainty import MARGIN, DoubtRow


def doubt_tables(rows: Sequence[DoubtRow]) -> list[Table]:
    """A table for each task."""
    tasks = dict.fromkeys(row.where.task for row in rows)
    return [_table(task, [row for row in rows if row.where.task == task]) for task in tasks]


def _table(task: str, rows: Sequence[DoubtRow]) -> Table:
    return Table(
        f"uncertainty-{task}",
        f"Uncertainty: {task}",
        "What the doubt of finished cells is worth on test cases, by prediction model. Intervals "
        "are over patients and runs; areas under curves of risk enter them by jackknife "
        "pseudo-values of patients. The effect is arm − scratch twin on the patients and runs "
        f"that both have, equivalent within ±{MARGIN:g}; its interval holds at once with those of "
        "all rows of the same figure (Bonferroni). "
        "Thresholds and calibrations are learnt from validation cases.",
        [
            *plain_columns("fraction", "adaptation", "arm", "model", "application", "figure"),
            *(Column(name, show=or_dash) for name in ("measure", "aggregation")),
            interval_column("value [95%]", "value", 3),
            interval_column("arm − twin [95%, all rows]", "effect", 3, signed=True),
            Column("verdict", show=or_dash),
            *(Column(name, show=number(0), number=True) for name in ("patients", "runs")),
        ],
        [_told(row) for row in rows],
    )


def _told(row: DoubtRow) -> dict[str, Any]:
    return {
        **row.where._asdict(),
        "arm": row.arm,
        "model": row.model,
        **row.what._asdict(),
        **dict(zip(("value", "value_low", "value_high"), row.value, strict=True)),
        **dict(zip(("effect", "low", "high"), row.effect, strict=True)),
        "verdict": row.verdict,
        "patients": row.patients,
        "runs": row.runs,
    }
