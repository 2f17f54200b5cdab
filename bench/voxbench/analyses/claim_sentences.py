"""Claims in plain sentences: the verdict on each, and what was compared on which tasks."""

import math
from collections.abc import Iterator, Sequence

from voxbench.analyses.claims import ClaimResult, TaskResult
from voxbench.analyses.table import interval, number, p_value
from voxbench.design.claims import Claim
from voxbench.stats.metric import find_metric


def describe_claims(results: Sequence[ClaimResult]) -> Iterator[str]:
    """Lines: the verdict of each claim, what was compared on which tasks, and how many hold."""
    for result in results:
        yield from _described(result)
        yield ""
    held = sum(result.verdict == "holds" for result in results)
    yield f"{held} of {len(results)} claims hold (95% intervals; Holm over all claims)."


def _described(result: ClaimResult) -> Iterator[str]:
    claim, metric = result.claim, find_metric(result.claim.metric)
    corrected = "" if math.isnan(result.p_holm) else _p("Holm p", result.p_holm)
    details = "; ".join(part for part in (corrected, result.reason) if part)
    yield f"{result.verdict.upper()}: {claim}" + (f" ({details})" if details else "")
    if claim.text:
        yield f"  «{claim.text}»"
    unit = f" {metric.unit}" if metric.unit else ""
    yield f"  {result.arm} − {result.other}, {metric.title}, margin {result.margin:g}{unit}"
    for row in result.tasks:
        yield f"  {task_sentence(row, claim)}"
        if row.other_by_steps:
            shown = number(metric.digits)
            means = ", ".join(f"{shown(mean)} at {n}" for n, mean in row.other_by_steps)
            yield f"    {result.other} by steps: {means}"
        if row.records:
            yield f"    records: {' '.join(row.records)}"


def task_sentence(row: TaskResult, claim: Claim) -> str:
    """What a claim's test found on a task: verdict, difference, p, patients and runs."""
    metric = find_metric(claim.metric)
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
