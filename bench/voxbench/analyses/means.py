"""Means of arms: what each scores at each fraction of each task, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from voxbench.analyses.groups import Group, Scale, Where
from voxbench.analyses.shared import sample_of
from voxbench.stats.bootstrap import infer_each
from voxbench.stats.interval import Interval
from voxbench.stats.metric import FALSE_ALARMS, METRICS


@dataclass(frozen=True)
class Mean:
    """One row of the table of means: an arm at a fraction of a task, and what it cost."""

    where: Where
    train_patients: float
    arm: str
    patients: int
    runs: int
    undefined: int
    failed_cases: int
    failed: int
    converged: str
    fit_seconds: float
    cpu_hours: float
    gpu_hours: float
    pretraining_cpu_hours: float
    pretraining_gpu_hours: float
    tuning_cpu_hours: float
    tuning_gpu_hours: float
    scale: Scale
    contamination: str
    note: str
    scores: dict[str, Interval]


def means(groups: Sequence[Group]) -> list[Mean]:
    """Mean and interval of every metric for every arm, also of those that failed."""
    metrics = METRICS | FALSE_ALARMS
    samples = [
        sample_of(group.scores[key], group.cases, group.runs, [group])
        for group in groups
        for key in metrics
    ]
    intervals = iter(infer_each(samples).intervals())
    return [
        Mean(
            where=group.where,
            train_patients=group.train_patients,
            arm=group.arm,
            patients=len(group.patients),
            runs=len(group.runs),
            scores={
                key: next(intervals).within(0.0, metric.most) for key, metric in metrics.items()
            },
            undefined=group.undefined["dice"],
            failed_cases=group.failed_cases,
            failed=len(group.failed),
            converged=group.convergence.word,
            **group.spent._asdict(),
            scale=group.scale,
            contamination=group.contamination,
            note="; ".join(group.notes),
        )
        for group in groups
    ]
