"""The matrix of the front page: arms in rows under their twin, tasks in columns."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from voxbench.analyses.settings import steps_of
from voxbench.reporting.people import ArmName, duration, in_order
from voxbench.reporting.site.front.cell import Cell, effect_cell, score_cell
from voxbench.reporting.site.front.evidence import Evidence, in_use
from voxbench.reporting.site.material import ArmResult

MADE, TAKEN, PUBLISHED = "Made here", "Weights of others", "Published scores"
UNITS = ("cpu", "gpu")
_ORIGINS = (MADE, TAKEN, PUBLISHED)
_STRATEGIES = ("scratch", "supervised", "self-supervised", "imagenet", "control")


class Row(NamedTuple):
    """An arm.

    Attributes:
        label: as records have it.
        about: its strategy, and how it was adapted.
        cells: a list for each task, of its recipes there; none where it was not run.
        once, run: what it costs.
    """

    name: ArmName
    label: str
    about: str
    cells: list[list[Cell]]
    once: str
    run: str


class Section(NamedTuple):
    """Arms of one network, under the twin that they are compared with.

    Attributes:
        warning: what its budget forbids to read out of it.
        twin: None where arms have none; then cells are scores.
    """

    title: str
    warning: str
    twin: Row | None
    rows: list[Row]


def sections(evidence: Evidence, fraction: str, tasks: Sequence[str]) -> list[Section]:
    """Every arm that ran at a fraction: made here first, then weights of others, then scores."""
    ran = [own for own in evidence.results if own.group.where.fraction == fraction]
    members: dict[tuple[str, str], list[ArmResult]] = defaultdict(list)
    for result in ran:
        if origin := _origin(result):
            members[origin, _twin_of(result)].append(result)
    order = sorted(members, key=lambda key: (_ORIGINS.index(key[0]), key[1]))
    return [_section(evidence, ran, key, members[key], tasks) for key in order]


def _origin(result: ArmResult) -> str:
    """Where its weights come from; "" for scratch, which is told with the arms it is twin of."""
    if result.group.imported:
        return PUBLISHED
    if result.group.twin is None:
        return ""
    return MADE if any(record.cell.get("source") for record in result.records) else TAKEN


def _twin_of(result: ArmResult) -> str:
    return result.effect.other if result.effect else result.group.twin or ""


def _section(
    evidence: Evidence,
    ran: Sequence[ArmResult],
    key: tuple[str, str],
    members: Sequence[ArmResult],
    tasks: Sequence[str],
) -> Section:
    origin, twin = key
    adapted = {result.group.where.adaptation for result in members}
    scratch = [
        own for own in ran if own.group.arm == twin and own.group.where.adaptation in adapted
    ]
    title = ", ".join([origin, *_networks(members, scratch), *_steps(members)])
    rows = [_row(evidence, own, tasks) for own in _by_arm(members)]
    return Section(
        title,
        "" if origin == PUBLISHED else " ".join(_warnings(members, scratch, ran)),
        _row(evidence, scratch, tasks) if scratch else None,
        rows,
    )


def _by_arm(members: Sequence[ArmResult]) -> list[list[ArmResult]]:
    """The results of each arm and adaptation, controls last."""
    found: dict[tuple[str, str], list[ArmResult]] = defaultdict(list)
    for result in members:
        found[result.group.arm, result.group.where.adaptation].append(result)

    def order(own: list[ArmResult]) -> tuple[object, ...]:
        strategy = own[0].records[0].arm.strategy
        place = _STRATEGIES.index(strategy) if strategy in _STRATEGIES else 3
        return place, in_order(own[0].group.arm), in_use(own[0].group.where)

    return sorted(found.values(), key=order)


def _row(evidence: Evidence, own: Sequence[ArmResult], tasks: Sequence[str]) -> Row:
    first = own[0]
    return Row(
        evidence.names[first.group.arm],
        first.group.arm,
        _about(first),
        [[_cell(evidence, result) for result in _on(own, task)] for task in tasks],
        _once(own),
        _run(own),
    )


def _on(own: Sequence[ArmResult], task: str) -> list[ArmResult]:
    found = [result for result in own if result.group.where.task == task]
    return sorted(
        found, key=lambda result: (steps_of(result.records[0]), in_use(result.group.where))
    )


def _cell(evidence: Evidence, result: ArmResult) -> Cell:
    effect = evidence.effects.get((result.group.where, result.group.arm))
    return effect_cell(evidence, result, effect) if effect else score_cell(evidence, result)


def _about(result: ArmResult) -> str:
    strategy = {"scratch": "random start", "control": "control: must be ≈"}.get(
        result.records[0].arm.strategy, result.records[0].arm.strategy
    )
    return ", ".join(filter(None, [strategy, result.group.where.scope.adapted]))


def _once(own: Sequence[ArmResult]) -> str:
    """What its weights took, before any task is looked at, and its tuning."""
    spent = [result.group.spent for result in own]
    if own[0].group.imported or own[0].group.twin is None:
        return ""
    made, tuned = (
        duration(*(max(getattr(own, f"{kind}_{unit}_hours") for own in spent) for unit in UNITS))
        for kind in ("pretraining", "tuning")
    )
    once = "downloaded" if _origin(own[0]) == TAKEN else f"{made or 'nothing'} once"
    return f"{once}, {tuned} of tuning a task" if tuned else once


def _run(own: Sequence[ArmResult]) -> str:
    """The mean of its trainings at this fraction."""
    runs = sum(len(result.group.runs) for result in own)
    if own[0].group.imported or not runs:
        return ""
    spent = [result.group.spent for result in own]
    each = duration(*(sum(getattr(own, f"{unit}_hours") for own in spent) / runs for unit in UNITS))
    return f"{each} a run" if each else ""


def _networks(members: Sequence[ArmResult], scratch: Sequence[ArmResult]) -> list[str]:
    """Networks with their parameters."""
    found: dict[str, set[int]] = defaultdict(set)
    for result in [*members, *scratch]:
        for record in result.records:
            found[record.arm.network] |= {record.cost.parameters} if record.cost else set()
    return [_network(name, sizes) for name, sizes in found.items() if name != "unknown"]


def _network(name: str, sizes: set[int]) -> str:
    count = max(sizes, default=0)
    return f"{name} ({count / 1e6:.2g} M parameters)" if count else name


def _steps(members: Sequence[ArmResult]) -> list[str]:
    steps = sorted({steps_of(result.records[0]) for result in members} - {0})
    ends = dict.fromkeys([steps[0], steps[-1]]) if steps else {}
    return [f"{' to '.join(map(str, ends))} steps"] if steps else []


def _warnings(
    members: Sequence[ArmResult], scratch: Sequence[ArmResult], ran: Sequence[ArmResult]
) -> Iterator[str]:
    """Of a budget that is tiny or unequal."""
    behind = sorted({own.group.where.task for own in scratch if own.group.unconverged})
    if behind:
        yield (
            f"Scratch has not converged on {', '.join(behind)}: read what is ahead of it as a "
            "head start."
        )
    own = {(result.group.where.task, steps_of(result.records[0])) for result in members}
    for task in sorted({task for task, _ in own}):
        most = max(steps for name, steps in own if name == task)
        others = [steps_of(r.records[0]) for r in ran if r.group.where.task == task]
        if most < max(others):
            yield f"{most} steps on {task}, where others had {max(others)}: compare within."
    chosen = {result.group.where.adaptation.endswith("tuned") for result in members}
    if len(chosen) > 1:
        yield "Tuned arms and arms of the default recipe each have a twin of their own."
