"""What the doubt of every arm is worth, as tables for each task."""

from collections.abc import Sequence
from typing import Any

from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    interval_column,
    number,
    or_dash,
    plain_columns,
)
from voxbench.analyses.uncertainty.cost import DoubtCost
from voxbench.analyses.uncertainty.findings import HEADLINES, Findings
from voxbench.analyses.uncertainty.methods import Contest, MethodRow, MethodShares, mean_ranks
from voxbench.analyses.uncertainty.rows import MARGIN, DoubtRow
from voxbench.analyses.uncertainty.separation import Separation

_SHOWN = {*HEADLINES, "missed", "NCC", "GED²"}


def doubt_tables(found: Findings) -> list[Table]:
    """The leading figures of each task, then what holds of all: methods, kinds, cost."""
    tables = [table_of_task(task, found.rows, _SHOWN) for task in found.tasks]
    tables += [_methods(found.methods)] if found.methods else []
    tables += [_components(found.components)] if found.components else []
    tables += [_separations(found.separations)] if found.separations else []
    tables += [_costs(found.costs)] if found.costs else []
    return tables


def full_tables(found: Findings) -> list[Table]:
    """Every figure of each task, and every method in every contest, for programs."""
    tables = [
        table_of_task(task, found.rows)._replace(name=f"uncertainty-{task}-all")
        for task in found.tasks
    ]
    return [*tables, _contests(found.methods)] if found.methods else tables


def table_of_task(task: str, rows: Sequence[DoubtRow], figures: set[str] | None = None) -> Table:
    """Figures of a task; all of them, or those that are named."""
    own = [row for row in rows if row.where.task == task]
    shown = [row for row in own if figures is None or row.what.figure in figures]
    rest = "" if figures is None else " Further figures are in the file of the same name with -all."
    return Table(
        f"uncertainty-{task}",
        f"Uncertainty: {task}",
        "What the doubt of finished cells is worth on test cases, by prediction model. Intervals "
        "are over patients and runs; areas under curves enter them by jackknife "
        "pseudo-values of patients, and false positives at 95% by a bootstrap, without a "
        "verdict. OoD detection tells the named cases from test cases without a shift. "
        "The effect is arm − scratch twin on the patients and runs "
        f"that both have, equivalent within ±{MARGIN:g}; its interval holds at once with those of "
        "all rows of the same figure (Bonferroni). "
        f"Thresholds and calibrations are learnt from validation cases.{rest}",
        [
            *plain_columns("fraction", "adaptation", "arm", "model", "application", "figure"),
            *(Column(name, show=or_dash) for name in ("measure", "aggregation", "cases")),
            interval_column("value [95%]", "value", 3),
            interval_column("arm − twin [95%, all rows]", "effect", 3, signed=True),
            Column("verdict", show=or_dash),
            *(Column(name, show=number(0), number=True) for name in ("patients", "runs")),
        ],
        [_told(row) for row in shown],
    )


def _told(row: DoubtRow) -> dict[str, Any]:
    first = {**row.where.told, "arm": row.arm, "model": row.model, **row.what._asdict()}
    return first | as_row(row, "what")


def _named(contest: Contest) -> dict[str, str]:
    return contest.where.told | {
        name: own for name, own in contest._asdict().items() if name != "where"
    }


def _methods(rows: Sequence[MethodRow]) -> Table:
    names = "figure", "model", "measure", "aggregation"
    return Table(
        "uncertainty-methods",
        "Ways of doubting",
        "Prediction model × measure × aggregation, ranked within each arm, fraction and task (and "
        "set of cases) by the figure, 1 is best and equal values share their mean rank. Best or "
        "tied: the interval of the difference from the best, over patients and the runs that both "
        "have, holds 0; all of a contest at once (Bonferroni).",
        [
            *plain_columns("figure", "model", "measure"),
            Column("aggregation", show=or_dash),
            Column("mean rank", ("rank",), number(1), True),
            Column("best or tied", ("tied", "contests"), "{} of {}".format, True),
        ],
        [
            dict(zip((*names, "rank", "tied", "contests"), (figure, *method, *own), strict=True))
            for figure, method, *own in mean_ranks(rows)
        ],
    )


def _contests(rows: Sequence[MethodRow]) -> Table:
    return Table(
        "uncertainty-contests",
        "Ways of doubting, by task",
        "Every method in every contest: method − best, with intervals that hold at once.",
        plain_columns("task", "arm", "figure", "cases", "model", "measure", "aggregation", "rank"),
        [
            _named(row.contest) | row.method._asdict() | as_row(row, "contest", "method")
            for row in rows
        ],
    )


def _components(rows: Sequence[MethodShares]) -> Table:
    return Table(
        "uncertainty-components",
        "Which component of a method matters",
        "Share of the sum of squares over methods: (RSS of additive effects without the "
        "component − RSS with all three) / TSS, and RSS / TSS of what is left, interactions and "
        "noise. Noise raises every share. Intervals are over patients (bootstrap).",
        [
            *plain_columns("task", "fraction", "arm", "figure"),
            Column("cases", show=or_dash),
            interval_column("prediction model", "model", 2),
            interval_column("measure", "measure", 2),
            interval_column("aggregation", "aggregation", 2),
            interval_column("rest", "rest", 2),
            Column("methods", show=number(0), number=True),
        ],
        [_named(row.contest) | as_row(row, "contest") for row in rows],
    )


def _separations(rows: Sequence[Separation]) -> Table:
    return Table(
        "uncertainty-separation",
        "Are the two kinds of uncertainty told apart?",
        "Aleatoric uncertainty is to lie where raters differ, and epistemic uncertainty to be high "
        "for shifted cases, each more than the other is (Kahl et al., ICLR 2024). Intervals hold "
        "at once for all rows.",
        [
            *plain_columns("task", "fraction", "arm", "model"),
            interval_column("NCC, aleatoric − epistemic", "raters", 2, signed=True),
            interval_column("AUROC, epistemic − aleatoric", "shifts", 2, signed=True),
            Column("verdict"),
            Column("patients", show=number(0), number=True),
        ],
        [as_row(row, "aleatoric", "epistemic") | {"verdict": row.verdict} for row in rows],
    )


def _costs(rows: Sequence[DoubtCost]) -> Table:
    return Table(
        "uncertainty-cost",
        "What doubting costs",
        "Wall clock a case of each prediction model, with measures, aggregations and scores, "
        "beside that of the plain prediction and scores of the same cells, on whatever machine "
        "each was run; means over all cases and runs. A forward pass is over all windows.",
        [
            *plain_columns("task", "fraction", "arm", "model"),
            Column("forward passes", ("passes",), number(0), True),
            Column("s a case", ("seconds",), number(2), True),
            Column("plain, s a case", ("plain",), number(2), True),
            Column("times plain", ("times",), number(1), True),
            *(Column(name, show=number(0), number=True) for name in ("cases", "runs")),
        ],
        [as_row(row) | {"times": row.times} for row in rows],
    )
