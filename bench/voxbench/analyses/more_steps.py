"""The same arm by one recipe at several numbers of steps, and what the longer say of the shorter.

That a longer training ends higher is the most direct evidence that a shorter one was stopped too
early, whatever its own curve says.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from voxbench.analyses.groups import Group, Run
from voxbench.records.convergence import Convergence
from voxbench.stats.arrays import nanmean

LARGEST_GAIN = 0.03

Family = tuple[object, ...]


def family(group: Group) -> Family:
    """What groups share that differ in nothing but their steps."""
    where = group.where
    return where.task, where.adaptation, where.fraction, where.test, group.label, group.course.rest


def by_steps(group: Group, groups: Sequence[Group], key: str) -> list[tuple[int, float]]:
    """Steps and mean of a metric of an arm wherever its recipe is another in its steps alone.

    The means are over the draws and seeds that all of them have, where there are any.
    """
    alike = [g for g in groups if family(g) == family(group) and g.runs and g.course.steps]
    shared = [run for run in group.runs if all(run in other.runs for other in alike)]
    means = {other.course.steps: _mean(other, key, shared) for other in alike}
    return sorted(means.items()) if len(means) > 1 else []


def judged_by_longer(groups: Sequence[Group], among: Sequence[Group]) -> list[Group]:
    """Groups as not converged where more steps reach over 0.03 higher mean Dice.

    Args:
        groups: that are judged.
        among: where longer trainings are looked for; compared are the draws and seeds that both
            have.
    """
    families: dict[Family, list[Group]] = defaultdict(list)
    for group in among:
        if group.course.steps:
            families[family(group)].append(group)
    return [_judged(group, families[family(group)]) for group in groups]


def _judged(group: Group, kin: Sequence[Group]) -> Group:
    known = group.convergence
    gains = dict(_gains(group, kin))
    if not gains or known.word == "":
        return group
    steps = max(gains, key=lambda longer: gains[longer])
    reason = f"{steps} steps reach {gains[steps]:.2f} Dice more"
    both = [known.reason, reason] if known.word == "no" else [reason]
    return replace(group, convergence=Convergence("no", "; ".join(both)))


def _gains(group: Group, kin: Sequence[Group]) -> Iterator[tuple[int, float]]:
    """Steps of the longer trainings that end higher, and by how much."""
    for other in kin:
        shared = [run for run in group.runs if run in other.runs]
        if other.course.steps > group.course.steps and shared:
            gain = _mean(other, "dice", shared) - _mean(group, "dice", shared)
            if gain > LARGEST_GAIN:
                yield other.course.steps, gain


def _mean(group: Group, key: str, runs: Sequence[Run] | None = None) -> float:
    """Over patients and runs; over all of these by default."""
    columns = [group.runs.index(run) for run in runs or group.runs]
    return float(nanmean(nanmean(group.scores[key][:, columns], axis=1), axis=0))
