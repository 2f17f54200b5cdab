"""Declared claims of a study, tested again on the records of a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voxbench.analyses.groups import groups_in
from voxbench.analyses.table import interval, p_value
from voxbench.design.claim import read_claims
from voxbench.stats.claims import Finding, OnTask, judge
from voxbench.stats.metric import Metric, find_metric


def claims(file: Path, store_dir: Path) -> list[Finding]:
    """Test the claims of a file.

    Raises:
        SpecError: the file is wrong, or names what no record has.
        RecordError: there is no record, or one can't be read.
    """
    return judge(read_claims(file), groups_in(store_dir))


def summary(findings: Sequence[Finding]) -> str:
    """How many hold."""
    held = sum(found.verdict == "holds" for found in findings)
    return f"{held} of {len(findings)} claims hold (95% intervals; Holm over all claims)."


def lines(found: Finding) -> Iterator[str]:
    """The verdict, what was compared, and one line a task."""
    metric = find_metric(found.claim.metric)
    corrected = "" if found.p_holm != found.p_holm else _p("Holm p", found.p_holm)
    details = "; ".join(part for part in (corrected, found.reason) if part)
    yield f"{found.verdict.upper()}: {found.claim.text}" + (f" ({details})" if details else "")
    unit = f" {metric.unit}" if metric.unit else ""
    yield f"  {found.arm} − {found.other}, {metric.title}, margin {found.margin:g}{unit}"
    for row in found.tasks:
        yield f"  {_on_task(row, metric)}"
        if row.records:
            yield f"    records: {' '.join(row.records)}"


def _on_task(row: OnTask, metric: Metric) -> str:
    if not row.patients:
        return f"{row.task}: {row.verdict}: {row.note}"
    shown = interval(metric.digits, signed=True)(row.effect, row.low, row.high)
    note = f" ({row.note})" if row.note else ""
    return (
        f"{row.task}: {row.verdict}: {shown}, {_p('p', row.p)}, {row.patients} patients, "
        f"{row.runs} run{'s' if row.runs > 1 else ''}{note}"
    )


def _p(name: str, p: float) -> str:
    return f"{name} {p_value(p)}" if p < 0.001 else f"{name} = {p_value(p)}"


def record(found: Finding) -> dict[str, Any]:
    """What a program would read."""
    return asdict(found)
