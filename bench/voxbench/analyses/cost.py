"""Which arms give the most for what they cost: the frontier of cost and quality."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from voxbench.analyses.groups import Group, Where
from voxbench.analyses.table import Column, Table, as_row, number, plain_columns
from voxbench.stats.arrays import nanmean
from voxbench.stats.metric import Metric


@dataclass(frozen=True)
class Offer:
    """One arm at one fraction: its score and its hours.

    Attributes:
        score: mean over patients.
        gpu_hours, cpu_hours: of one fine-tuning.
        pretraining_gpu_hours, pretraining_cpu_hours: of making the weights once.
        tuning_gpu_hours, tuning_cpu_hours: of all trials that chose its values.
        uses: trainings in these records that share the weights.
        free: on the frontier if the weights are there for free.
        amortised: on the frontier if each use pays its share of the pre-training.
        whole: on the frontier if this use pays for all of it.
    """

    where: Where
    arm: str
    score: float
    gpu_hours: float
    cpu_hours: float
    pretraining_gpu_hours: float
    pretraining_cpu_hours: float
    tuning_gpu_hours: float
    tuning_cpu_hours: float
    uses: int
    free: bool
    amortised: bool
    whole: bool


def frontier(groups: Sequence[Group], metric: Metric) -> list[Offer]:
    """All arms with a score that were trained here, and the frontiers that they are on.

    What imported scores cost nobody has told.

    An arm is off a frontier if another has a score as good for no more hours, and is better in one
    of the two. Hours of accelerators and processors are not added up.
    """
    uses: dict[str, int] = defaultdict(int)
    for group in groups:
        uses[group.arm] += len(group.runs)
    members: dict[Where, list[Group]] = defaultdict(list)
    for group in groups:
        if group.runs and not group.imported and not math.isnan(_score(group, metric)):
            members[group.where].append(group)
    return [offer for own in members.values() for offer in _offers(own, metric, uses)]


def _score(group: Group, metric: Metric) -> float:
    return float(nanmean(nanmean(group.scores[metric.key], axis=1), axis=0))


def _offers(groups: Sequence[Group], metric: Metric, uses: dict[str, int]) -> list[Offer]:
    scores = [_score(group, metric) for group in groups]
    kept = {
        share: _undominated(
            [(metric.sign * score, *_hours(group, share, uses[group.arm]))
             for group, score in zip(groups, scores, strict=True)]
        )
        for share in ("free", "amortised", "whole")
    }  # fmt: skip
    return [
        Offer(
            group.where, group.arm, score,
            group.spent.gpu_hours / len(group.runs), group.spent.cpu_hours / len(group.runs),
            group.spent.pretraining_gpu_hours, group.spent.pretraining_cpu_hours,
            group.spent.tuning_gpu_hours, group.spent.tuning_cpu_hours, uses[group.arm],
            **{share: found[i] for share, found in kept.items()},
        )
        for i, (group, score) in enumerate(zip(groups, scores, strict=True))
    ]  # fmt: skip


def _hours(group: Group, share: str, uses: int) -> tuple[float, float]:
    """Accelerator and processor hours of one fine-tuning with its share of what came before.

    Of pre-training as all its uses share it, of tuning as the runs of the group do.
    """
    spent, runs = group.spent, len(group.runs)
    part = {"free": 0.0, "amortised": 1 / uses, "whole": 1.0}[share]
    trials = 1.0 if share == "whole" else 1 / runs
    return (
        spent.gpu_hours / runs + part * spent.pretraining_gpu_hours
        + trials * spent.tuning_gpu_hours,
        spent.cpu_hours / runs + part * spent.pretraining_cpu_hours
        + trials * spent.tuning_cpu_hours,
    )  # fmt: skip


def _undominated(offers: Sequence[tuple[float, float, float]]) -> list[bool]:
    """Which of (score, hours, hours) no other matches or beats in all and beats in one."""

    def beats(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        no_worse = one[0] >= other[0] and one[1] <= other[1] and one[2] <= other[2]
        return no_worse and one != other

    return [not any(beats(other, offer) for other in offers) for offer in offers]


def frontier_table(groups: Sequence[Group], metric: Metric) -> Table:
    """Every arm's score and hours, and the frontiers that it is on."""

    def mark(on: bool) -> str:
        return "yes" if on else "no"

    hours, tuning = number(3), ("tuning_gpu_hours", "tuning_cpu_hours")
    offers = frontier(groups, metric)
    tuned = any(getattr(offer, name) for offer in offers for name in tuning)
    return Table(
        f"frontier-{metric.key}",
        "Cost and quality",
        f"{metric.title} and hours of one fine-tuning. An arm is on a frontier if no other has a "
        "score as good for no more hours: with the weights for free, with their cost shared by all "
        "trainings here that use them, and with all of it."
        + (" Tuning is shared by an arm's runs." if tuned else ""),
        [
            *plain_columns("task", "adaptation", "arm", "fraction"),
            Column(metric.title, ("score",), number(metric.digits), True),
            Column("GPU h", ("gpu_hours",), hours, True),
            Column("CPU h", ("cpu_hours",), hours, True),
            Column("pre-training GPU h", ("pretraining_gpu_hours",), hours, True),
            Column("pre-training CPU h", ("pretraining_cpu_hours",), hours, True),
            *(
                Column(title, (name,), hours, True)
                for title, name in zip(("tuning GPU h", "tuning CPU h"), tuning, strict=True)
                if tuned
            ),
            Column("uses", number=True),
            Column("weights free", ("free",), mark),
            Column("shared", ("amortised",), mark),
            Column("all of it", ("whole",), mark),
        ],
        [as_row(offer, "setting", *(() if tuned else tuning)) for offer in offers],
    )
