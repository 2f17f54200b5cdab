"""The scores of several arms on several tasks side by side, with a policy for what is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from voxbench.analyses.groups import Group, Run, Scope
from voxbench.analyses.shared import sample_of, shared_scores
from voxbench.errors import SpecError, unknown
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import FALSE_ALARMS, Metric

Policy = Literal["complete", "available", "worst"]
POLICIES: dict[Policy, str] = {
    "complete": "tasks, runs and patients that all arms have",
    "available": "each arm on what it has",
    "worst": "a missing or failed training counts as the worst score",
}


class TaskScores(NamedTuple):
    """Scores of all arms on one task.

    Attributes:
        name: of the task, with the setting where it has several.
        sample: (arm, patient, run); NaN where undefined or missing.
        runs: of the sample.
        unshared: pairs of a case and a class that an arm lacks, and that count for none.
    """

    name: str
    sample: Sample
    runs: tuple[Run, ...]
    unshared: int = 0


@dataclass(frozen=True)
class Board:
    """Scores of all arms of a scope.

    Attributes:
        scope: adaptation and fraction.
        metric: of the scores.
        arms: labels.
        scores: of each task.
        missing: (task, arm, run) without a result: failed or never run.
        undefined: case × class scores without a value.
        failed_cases: predictions that failed; they are scored as the worst.
        left_out: what the policy dropped, in sentences.
        alarms: the same arms by their false alarms; None where no structure is absent.
        notes: arm → what a reader must know of its records.
        unconverged: arms that are known not to have converged on one of the tasks.
    """

    scope: Scope
    metric: Metric
    arms: tuple[str, ...]
    scores: tuple[TaskScores, ...]
    missing: tuple[tuple[str, str, Run], ...]
    undefined: int
    failed_cases: int
    left_out: tuple[str, ...] = ()
    alarms: "Board | None" = None
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unconverged: frozenset[str] = frozenset()

    @property
    def tasks(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(own.name for own in self.scores)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """(arm, patient, run) of each task."""
        return tuple(own.sample for own in self.scores)

    @property
    def accounts(self) -> str:
        """What a reader must know of the gaps, in one sentence."""
        parts = [
            f"{len(self.missing)} trainings missing",
            f"{self.undefined} undefined scores left out of means",
            f"{self.failed_cases} failed predictions scored as the worst",
            *(
                f"{own.name}: {own.unshared} pairs of a case and a class without a score in every "
                "arm left out"
                for own in self.scores
                if own.unshared
            ),
            *self.left_out,
        ]
        return "; ".join(parts) + "."


def boards(groups: Iterable[Group], metric: Metric) -> list[Board]:
    """One board for each adaptation and fraction with at least two arms."""
    scopes: dict[Scope, list[Group]] = defaultdict(list)
    for group in groups:
        scopes[group.where.scope].append(group)
    made = [_with_alarms(scope, members, metric) for scope, members in scopes.items()]
    return [board for board in made if len(board.arms) > 1]


def _with_alarms(scope: Scope, groups: Sequence[Group], metric: Metric) -> Board:
    board = _board(scope, groups, metric)
    if metric in FALSE_ALARMS.values():
        return board
    alarms = _board(scope, groups, FALSE_ALARMS["false_alarms"])
    known = tuple(own for own in alarms.scores if not np.isnan(own.sample.values).all())
    return replace(board, alarms=replace(alarms, scores=known) if known else None)


def _board(scope: Scope, groups: Sequence[Group], metric: Metric) -> Board:
    arms = tuple(sorted({group.arm for group in groups}))
    members: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in groups:
        members[group.where.task, group.where.setting].append(group)
    settings = Counter(task for task, _ in members)
    scores: list[TaskScores] = []
    missing: list[tuple[str, str, Run]] = []
    for (task, setting), own in sorted(members.items()):
        name = task if settings[task] == 1 else f"{task} ({setting})"
        found = _task_scores(name, own, arms, metric.key)
        if found.sample.values.size:
            scores.append(found)
            there = {group.arm: group.runs for group in own}
            missing += [
                (name, arm, run) for arm in arms for run in found.runs
                if run not in there.get(arm, ())
            ]  # fmt: skip
    return Board(
        scope,
        metric,
        arms,
        tuple(scores),
        tuple(missing),
        sum(group.undefined[metric.key] for group in groups),
        sum(group.failed_cases for group in groups),
        notes={
            arm: tuple(dict.fromkeys(n for g in groups if g.arm == arm for n in g.notes))
            for arm in arms
        },
        unconverged=frozenset(group.arm for group in groups if group.unconverged),
    )


def _task_scores(
    name: str, groups: Sequence[Group], arms: Sequence[str], metric: str
) -> TaskScores:
    """The groups of one task, on all patients and runs that any of them has."""
    cases = sorted({case for group in groups for case in group.cases})
    runs = tuple(sorted({run for group in groups for run in group.runs}))
    found = shared_scores(groups, metric, cases, runs)
    values = np.full((len(arms), *found.values.shape[1:]), np.nan)
    values[[arms.index(group.arm) for group in groups]] = found.values
    sample = sample_of(values, cases, runs, groups)
    return TaskScores(name, sample, runs, found.left_out)


def apply_policy(board: Board, policy: Policy = "complete") -> Board:
    """Apply a policy to what is missing.

    Undefined scores are never replaced. Under `complete` a patient without a score in one arm
    counts for none, and a task that an arm lacks is left out.

    Raises:
        SpecError: the policy is unknown, or nothing is left.
    """
    if policy not in POLICIES:
        raise SpecError(unknown("policy", policy, POLICIES))
    if policy == "available":
        return board
    change = _worst if policy == "worst" else _complete
    kept, alarms = change(board), change(board.alarms) if board.alarms else None
    if not kept.scores:
        raise SpecError(
            f"no task has a run of all {len(board.arms)} arms at {board.scope.fraction}: run the "
            "missing cells, or take --missing available or --missing worst."
        )
    return replace(kept, alarms=alarms if alarms and alarms.scores else None)


def _worst(board: Board) -> Board:
    filled = []
    for own in board.scores:
        name, sample, runs, _ = own
        values = sample.values.copy()
        scored = ~np.isnan(values).all(axis=(0, 2))
        for _, arm, run in (gap for gap in board.missing if gap[0] == name):
            values[board.arms.index(arm), scored, runs.index(run)] = _worst_of(board.metric, values)
        filled.append(own._replace(sample=sample.with_values(values)))
    return replace(board, scores=tuple(filled))


def _worst_of(metric: Metric, values: Array) -> float:
    """A distance or volume has no worst value of its own: the largest of any arm on that task."""
    if metric.sign > 0:
        return 0.0
    return metric.most if np.isfinite(metric.most) else float(np.nanmax(values))


def _complete(board: Board) -> Board:
    kept, notes = [], []
    for own in board.scores:
        shared, left_out = _shared(own, board.arms)
        kept += [shared] if shared else []
        notes += [f"{own.name}{note}" for note in left_out]
    return replace(board, scores=tuple(kept), left_out=tuple(notes))


def _shared(own: TaskScores, arms: Sequence[str]) -> tuple[TaskScores | None, list[str]]:
    """A task on the runs and patients that all arms have, and what was left out."""
    defined = ~np.isnan(own.sample.values)
    runs = np.flatnonzero(defined.any(axis=1).all(axis=0))
    if not runs.size:
        lacking = [arm for arm, there in zip(arms, defined, strict=True) if not there.any()]
        reason = f"lacking {', '.join(lacking)}" if lacking else "no draw and seed in common"
        return None, [f" left out: {reason}"]
    values = own.sample.values[:, :, runs].copy()
    scored = (~np.isnan(values)).any(axis=2)
    values[:, ~scored.all(axis=0)] = np.nan
    patients = int((scored.any(axis=0) & ~scored.all(axis=0)).sum())
    unshared = len(own.runs) - len(runs)
    notes = [f": {patients} patients without a score in every arm left out"] if patients else []
    notes += [f": {unshared} runs that not every arm has left out"] if unshared else []
    draws = tuple(own.sample.draws[run] for run in runs)
    sample = own.sample._replace(values=values, draws=draws)
    return own._replace(sample=sample, runs=tuple(own.runs[run] for run in runs)), notes


def patient_means(sample: Sample) -> Array:
    """Mean over runs, (patient, arm)."""
    return nanmean(sample.values, axis=2).T
