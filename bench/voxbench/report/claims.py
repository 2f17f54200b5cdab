"""What became of declared claims, as lines on a terminal and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from voxbench.analyses.table import interval, p_value
from voxbench.stats.claims import ClaimResult, TaskResult
from voxbench.stats.metric import Metric, find_metric


def claim_summary(results: Sequence[ClaimResult]) -> str:
    """How many hold."""
    held = sum(result.verdict == "holds" for result in results)
    return f"{held} of {len(results)} claims hold (95% intervals; Holm over all claims)."


def claim_lines(result: ClaimResult) -> Iterator[str]:
    """The verdict, what was compared, and one line a task."""
    claim, metric = result.claim, find_metric(result.claim.metric)
    corrected = "" if result.p_holm != result.p_holm else _p("Holm p", result.p_holm)
    details = "; ".join(part for part in (corrected, result.reason) if part)
    yield f"{result.verdict.upper()}: {claim}" + (f" ({details})" if details else "")
    if claim.text:
        yield f"  «{claim.text}»"
    unit = f" {metric.unit}" if metric.unit else ""
    yield f"  {result.arm} − {result.other}, {metric.title}, margin {result.margin:g}{unit}"
    for row in result.tasks:
        yield f"  {_on_task(row, metric)}"
        if row.records:
            yield f"    records: {' '.join(row.records)}"


def _on_task(row: TaskResult, metric: Metric) -> str:
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


def claim_json(result: ClaimResult) -> dict[str, Any]:
    """What a program would read."""
    return {**asdict(result), "claim": result.claim.model_dump(mode="json")}
