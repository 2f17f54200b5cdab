"""The scores of several arms on several tasks side by side, with a policy for what is missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from voxbench.analyses.groups import Group, Run, Scope
from voxbench.errors import SpecError, unknown
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import Metric

Policy = Literal["complete", "available", "worst"]
POLICIES: dict[Policy, str] = {
    "complete": "tasks, runs and patients that all arms have",
    "available": "each arm on what it has",
    "worst": "a missing or failed training counts as the worst score",
}


@dataclass(frozen=True)
class Board:
    """Scores of all arms of a scope.

    Attributes:
        scope: adaptation and fraction.
        metric: of the scores.
        arms: labels.
        tasks: names, with the setting where a task has several.
        samples: for each task (arm, patient, run); NaN where undefined or missing.
        patients: of each task.
        runs: of each task.
        missing: (task, arm, run) without a result: failed or never run.
        undefined: case × class scores without a value.
        failed_cases: predictions that failed; they are scored as the worst.
        left_out: what the policy dropped, in words.
    """

    scope: Scope
    metric: Metric
    arms: tuple[str, ...]
    tasks: tuple[str, ...]
    samples: tuple[Sample, ...]
    patients: tuple[tuple[str, ...], ...]
    runs: tuple[tuple[Run, ...], ...]
    missing: tuple[tuple[str, str, Run], ...]
    undefined: int
    failed_cases: int
    left_out: tuple[str, ...] = ()

    @property
    def accounts(self) -> str:
        """What a reader must know of the gaps, in one sentence."""
        parts = [
            f"{len(self.missing)} trainings missing",
            f"{self.undefined} undefined scores left out of means",
            f"{self.failed_cases} failed predictions scored as the worst",
            *self.left_out,
        ]
        return "; ".join(parts) + "."


def boards(groups: Iterable[Group], metric: Metric) -> list[Board]:
    """One board for each adaptation and fraction with at least two arms."""
    scopes: dict[Scope, list[Group]] = defaultdict(list)
    for group in groups:
        scopes[Scope(group.where.adaptation, group.where.fraction)].append(group)
    made = [_board(scope, members, metric) for scope, members in scopes.items()]
    return [board for board in made if len(board.arms) > 1]


def _board(scope: Scope, groups: Sequence[Group], metric: Metric) -> Board:
    arms = tuple(sorted({group.arm for group in groups}))
    settings: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        if group.where.setting not in settings[group.where.task]:
            settings[group.where.task].append(group.where.setting)
    columns = [(task, setting) for task in sorted(settings) for setting in sorted(settings[task])]
    tables = [
        _Table.of([g for g in groups if (g.where.task, g.where.setting) == own], arms, metric.key)
        for own in columns
    ]
    names = [
        task if len(settings[task]) == 1 else f"{task} ({setting})" for task, setting in columns
    ]
    kept = [i for i, table in enumerate(tables) if table.sample.values.size]
    return Board(
        scope, metric, arms,
        tuple(names[i] for i in kept),
        tuple(tables[i].sample for i in kept),
        tuple(tables[i].patients for i in kept),
        tuple(tables[i].runs for i in kept),
        tuple((names[i], arm, run) for i in kept for arm, run in tables[i].missing),
        sum(group.undefined[metric.key] for group in groups),
        sum(group.failed_cases for group in groups),
    )  # fmt: skip


class _Table(NamedTuple):
    sample: Sample
    patients: tuple[str, ...]
    runs: tuple[Run, ...]
    missing: list[tuple[str, Run]]

    @classmethod
    def of(cls, groups: Sequence[Group], arms: Sequence[str], key: str) -> "_Table":
        """The groups of one task, on all patients and runs that any of them has."""
        patients = sorted({patient for group in groups for patient in group.patients})
        runs = sorted({run for group in groups for run in group.runs})
        values = np.full((len(arms), len(patients), len(runs)), np.nan)
        found: dict[str, set[Run]] = {arm: set() for arm in arms}
        for group in groups:
            rows = np.searchsorted(patients, group.patients)
            columns = np.array([runs.index(run) for run in group.runs], dtype=np.int64)
            values[arms.index(group.arm)][np.ix_(rows, columns)] = group.scores[key]
            found[group.arm] = set(group.runs)
        missing = [(arm, run) for arm in arms for run in runs if run not in found[arm]]
        draws = tuple(run.draw for run in runs)
        return cls(Sample(values, draws), tuple(patients), tuple(runs), missing)


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
    settled = _worst(board) if policy == "worst" else _complete(board)
    if not settled.tasks:
        raise SpecError(
            f"no task has a run of all {len(board.arms)} arms at {board.scope.fraction}: run the "
            "missing cells, or take --missing available or --missing worst."
        )
    return settled


def _worst(board: Board) -> Board:
    samples = []
    for task, sample, runs in zip(board.tasks, board.samples, board.runs, strict=True):
        values = sample.values.copy()
        # a distance has no worst value of its own: the largest that any arm has on that task
        worst = 0.0 if board.metric.sign > 0 else float(np.nanmax(values))
        for _, arm, run in (gap for gap in board.missing if gap[0] == task):
            values[board.arms.index(arm), :, runs.index(run)] = worst
        samples.append(Sample(values, sample.draws))
    return replace(board, samples=tuple(samples))


def _complete(board: Board) -> Board:
    kept, samples, notes, shared = [], [], [], []
    for column, (task, sample) in enumerate(zip(board.tasks, board.samples, strict=True)):
        defined = ~np.isnan(sample.values)
        runs = np.flatnonzero(defined.any(axis=1).all(axis=0))
        if not runs.size:
            lacking = [a for a, own in zip(board.arms, defined, strict=True) if not own.any()]
            reason = f"lacking {', '.join(lacking)}" if lacking else "no draw and seed in common"
            notes.append(f"{task} left out: {reason}")
            continue
        values = sample.values[:, :, runs].copy()
        scored = (~np.isnan(values)).any(axis=2)
        lost = int((scored.any(axis=0) & ~scored.all(axis=0)).sum())
        values[:, ~scored.all(axis=0)] = np.nan
        if lost:
            notes.append(f"{task}: {lost} patients without a score in every arm left out")
        unshared = len(board.runs[column]) - len(runs)
        if unshared:
            notes.append(f"{task}: {unshared} runs that not every arm has left out")
        kept.append(column)
        shared.append(tuple(board.runs[column][run] for run in runs))
        samples.append(Sample(values, tuple(sample.draws[run] for run in runs)))
    return replace(
        board,
        tasks=tuple(board.tasks[i] for i in kept),
        samples=tuple(samples),
        patients=tuple(board.patients[i] for i in kept),
        runs=tuple(shared),
        left_out=tuple(notes),
    )


def patient_means(sample: Sample) -> Array:
    """Mean over runs, (patient, arm)."""
    return nanmean(sample.values, axis=2).T
