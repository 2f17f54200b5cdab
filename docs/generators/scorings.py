"""The official ways to score: what each measures, counts and does otherwise, and its source."""

import math
from collections.abc import Mapping

from voxbench.analyses.table import Table
from voxbench.metrics.labels import label_set
from voxbench.metrics.official import SCORINGS
from voxbench.metrics.scoring import Scoring
from voxbench.reporting.printer import pipe_table


def scorings() -> str:
    """Markdown: a row a scoring."""
    return pipe_table(Table.plain(_row(name, one) for name, one in SCORINGS.items())).strip()


def _row(name: str, one: Scoring) -> Mapping[str, object]:
    return {
        "Scoring": f"`{name}`",
        "Classes": ", ".join(
            f"{label} {'+'.join(map(str, sorted(label_set(value))))}"
            for label, value in one.classes.items()
        )
        or "any",
        "NSD tolerance in mm": _tolerances(one),
        "Both masks empty": _counted(one.both_empty),
        "Reference alone empty": _counted(one.reference_empty),
        "What it does, and voxbench otherwise": one.told,
        "Source": one.source,
    }


def _tolerances(one: Scoring) -> str:
    if not isinstance(one.tolerance_mm, Mapping):
        return "the task's, or as given" if one.tolerance_mm is None else f"{one.tolerance_mm:g}"
    groups: dict[float, list[str]] = {}
    for name, mm in one.tolerance_mm.items():
        groups.setdefault(mm, []).append(name)
    return "; ".join(f"{mm:.5g}: {', '.join(names)}" for mm, names in sorted(groups.items()))


def _counted(value: float) -> str:
    return "not scored" if math.isnan(value) else f"{value:g}"
