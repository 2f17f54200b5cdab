"""The doubt of every case, and what it is worth, as tables."""

from collections.abc import Sequence

from voxbench.analyses.table import Column, Table, interval, number, or_dash, plain_columns
from voxbench.score.uncertainty.applications import ApplicationFigure
from voxbench.score.uncertainty.judged import AGGREGATIONS, JudgedCase
from voxbench.uncertainty.names import AGREEMENT

_CASES = "Scores of every case; higher is less sure, but for the mean Dice of pairs of members."
_WORTH = (
    "Figures with 95% intervals over patients. Risks: the lower the better; ties share their place."
)


def tables(
    cases: Sequence[tuple[str, JudgedCase]], worth: Sequence[ApplicationFigure]
) -> tuple[Table, Table]:
    """Of the cases, each with the part (test, OoD) that it belongs to, and of the applications."""
    rows = [
        {"part": part, "case": case.case, "patient": case.patient, "measure": measure}
        | dict(scores)
        | {AGREEMENT: case.agreement}
        | dict(case.risks)
        for part, case in cases
        for measure, scores in case.scores.items()
    ]
    risks = list(cases[0][1].risks)
    columns = [
        *plain_columns("part", "case", "patient", "measure"),
        *(Column(name, show=_short, number=True) for name in (*AGGREGATIONS, AGREEMENT)),
        *(Column(name, show=number(4), number=True) for name in risks),
    ]
    for row in rows:  # an OoD case has no reference
        row |= {name: row.get(name, float("nan")) for name in risks}
    figures = [
        {key: value for key, value in one._asdict().items() if key != "value"}
        | dict(zip(("value", "low", "high"), one.value, strict=True))
        for one in worth
    ]
    shown = [
        *plain_columns("application", "figure", "measure"),
        Column("aggregation", show=or_dash),
        Column("value", ("value", "low", "high"), interval(3), True),
        *plain_columns("cases", "undefined", number=True),
    ]
    return (
        Table("uncertainty-cases", "Cases", _CASES, columns, rows),
        Table("uncertainty", "Applications", _WORTH, shown, figures),
    )


def _short(value: float) -> str:
    return number(4)(value) if abs(value) < 1000 or value != value else f"{value:.0f}"
