"""Records as arrays: the patient-level scores of each arm at each fraction of each task."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.analyses.settings import settings, suffixes
from voxbench.errors import RecordError, SpecError, unknown
from voxbench.records import Record, Store
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.metric import METRICS


class Where(NamedTuple):
    """What two arms share when they are compared.

    `setting` names recipe, data, metric definitions and smoke by a digest: records that differ
    in these are never compared or averaged.
    """

    task: str
    adaptation: str
    fraction: str
    setting: str

    def __str__(self) -> str:
        """`TASK at FRACTION`, with the adaptation if it is not the usual one."""
        adapted = "" if self.adaptation == "full" else f" ({self.adaptation})"
        return f"{self.task} at {self.fraction}{adapted}"


class Scope(NamedTuple):
    """What arms share when they are compared over tasks."""

    adaptation: str
    fraction: str

    def __str__(self) -> str:
        """`FRACTION`, with the adaptation if it is not the usual one."""
        return self.fraction + ("" if self.adaptation == "full" else f" ({self.adaptation})")


class Run(NamedTuple):
    """One training: its labelled subset and its seed."""

    draw: int
    seed: int


class Failed(NamedTuple):
    """A cell without a result."""

    key: str
    run: Run
    reason: str


class Spent(NamedTuple):
    """What an arm took: seconds of fitting a run, hours of all its runs, hours of its weights."""

    fit_seconds: float
    cpu_hours: float
    gpu_hours: float
    pretraining_cpu_hours: float
    pretraining_gpu_hours: float


class Scale(NamedTuple):
    """What weights were made of; NaN where it is not known, 0 for scratch."""

    volumes: float
    masks: float
    gpu_hours: float
    cpu_hours: float


@dataclass(frozen=True)
class Group:
    """One arm at one fraction of one task, with all its trainings.

    Attributes:
        where: what it shares with the arms it is compared with.
        arm: its label; arms that differ in axes, grid or pre-training under one label get a suffix.
        twin: the label of its scratch twin; None for scratch.
        train_patients: labelled patients it was trained on; NaN if no run finished.
        runs: the finished trainings; keys: of their records.
        patients: of the test set.
        scores: metric → (patient, run), the mean over a patient's cases of the mean over the
            defined classes of each case; NaN where none is defined.
        undefined: metric → case × class × run scores without a value.
        failed: trainings without a result.
        failed_cases: predictions that failed and are scored as the worst.
        spent: its cost.
        scale: of its pre-training.
        contamination: whether its weights have seen the test data, as the ledger knows it.
        smoke: its cells were run with a limit.
    """

    where: Where
    arm: str
    twin: str | None
    train_patients: float
    runs: tuple[Run, ...]
    keys: tuple[str, ...]
    patients: tuple[str, ...]
    scores: dict[str, Array]
    undefined: dict[str, int]
    failed: tuple[Failed, ...]
    failed_cases: int
    spent: Spent
    scale: Scale
    contamination: str
    smoke: bool

    @property
    def label(self) -> str:
        """The arm's label as records have it, without a suffix."""
        return self.arm.partition("#")[0]


def records_in(folder: Path) -> list[Record]:
    """Read the records of a folder.

    Raises:
        RecordError: there is no record, or one can't be read.
    """
    records = list(Store(folder))
    if not records:
        raise RecordError(
            f"{folder}: no records there; run a sweep into it first "
            f"(voxbench run SPEC -o {folder})."
        )
    return records


def groups_in(folder: Path) -> list[Group]:
    """Read the records of a folder and group them.

    Raises:
        RecordError: there is no record, or one can't be read.
    """
    return read_groups(records_in(folder))


def read_groups(records: Iterable[Record]) -> list[Group]:
    """Group records by task, fraction and arm; sorted by task, labelled patients and arm.

    Raises:
        RecordError: two records hold the same training.
    """
    members = by_arm(records)
    groups = [_group(where, arm, found) for (where, arm), found in members.items()]
    sizes = {(g.where.task, g.where.fraction): g.train_patients for g in groups if g.runs}

    def order(group: Group) -> tuple[object, ...]:
        task, adaptation, fraction, setting = group.where
        size = sizes.get((task, fraction), math.inf)
        return task, adaptation, setting, size, fraction, group.twin is not None, group.arm

    return sorted(groups, key=order)


def by_arm(records: Iterable[Record]) -> dict[tuple[Where, str], list[Record]]:
    """The records of each arm, under its label, at each fraction of each task."""
    kept = list(records)
    setting = settings(kept)
    suffix = suffixes(kept)
    members: dict[tuple[Where, str], list[Record]] = defaultdict(list)
    for record in kept:
        arm = record.arm
        where = Where(arm.task, arm.adaptation, arm.fraction, setting[record.key])
        members[where, arm.baseline + suffix[record.key]].append(record)
    return members


def find_arm(groups: Iterable[Group], name: str) -> str:
    """The arm of that label, or the only one whose label begins so.

    Raises:
        SpecError: there is none, or there are several.
    """
    arms = sorted({group.arm for group in groups})
    begun = [arm for arm in arms if arm.startswith(name)]
    if name in arms:
        return name
    if len(begun) > 1:
        raise SpecError(f"arm {name!r} is ambiguous: {', '.join(begun)}; give the whole label.")
    if not begun:
        bare = [arm.partition("[")[0] for arm in arms]
        raise SpecError(unknown("arm", name, {*arms, *(n for n in bare if bare.count(n) == 1)}))
    return begun[0]


def _group(where: Where, arm: str, records: Sequence[Record]) -> Group:
    finished: dict[Run, Record] = {}
    for record in records:
        if record.status == "ok":
            other = finished.setdefault(Run(record.arm.draw, record.arm.seed), record)
            if other is not record:
                raise RecordError(
                    f"records {other.key} and {record.key} are the same training ({arm} on "
                    f"{where.task}, {where.fraction}, draw {record.arm.draw}, seed "
                    f"{record.arm.seed}) with other weights or data: delete the older one."
                )
    runs = sorted(finished)
    done = [finished[run] for run in runs]
    tables = [_patient_scores(record) for record in done]
    patients = sorted({patient for table in tables for patient in table})
    values = np.full((len(METRICS), len(patients), len(runs)), np.nan)
    for column, table in enumerate(tables):
        for row, patient in enumerate(patients):
            if patient in table:
                values[:, row, column] = table[patient]
    return Group(
        where=where,
        arm=arm,
        twin=records[0].arm.twin,
        train_patients=_mean(r.data.train_patients for r in done if r.data),
        runs=tuple(runs),
        keys=tuple(record.key for record in done),
        patients=tuple(patients),
        scores=dict(zip(METRICS, values, strict=True)),
        undefined={key: sum(map(math.isnan, _scores(done, key))) for key in METRICS},
        failed=_failed(records, finished),
        failed_cases=sum(case.failure is not None for record in done for case in record.cases),
        spent=_spent(done),
        scale=_scale(done),
        contamination=_contamination(records),
        smoke=any(record.smoke for record in records),
    )


def _patient_scores(record: Record) -> dict[str, Array]:
    """Patient → mean of each metric (metric,), undefined classes and cases left out."""
    most = max((len(case.classes) for case in record.cases), default=0)
    values = np.full((len(record.cases), most, len(METRICS)), np.nan)
    rows = defaultdict(list)
    for row, case in enumerate(record.cases):
        rows[case.patient].append(row)
        for column, score in enumerate(case.classes.values()):
            values[row, column] = score.dice, score.nsd, score.hd95_mm
    by_case = nanmean(values, axis=1)
    return {
        patient: by_case[own[0]] if len(own) == 1 else nanmean(by_case[own], axis=0)
        for patient, own in rows.items()
    }


def _scores(records: Iterable[Record], key: str) -> Iterator[float]:
    for record in records:
        for case in record.cases:
            for score in case.classes.values():
                yield getattr(score, key)


def _failed(records: Iterable[Record], finished: dict[Run, Record]) -> tuple[Failed, ...]:
    """The failed trainings that no later record replaces."""
    found = {}
    for record in records:
        run = Run(record.arm.draw, record.arm.seed)
        if record.status == "failed" and run not in finished:
            found[run] = Failed(record.key, run, record.failure or "no reason recorded")
    return tuple(found[run] for run in sorted(found))


def _spent(records: Sequence[Record]) -> Spent:
    """A set of weights is made once and shared: its hours are those of one record, not the sum."""
    costs = [record.cost for record in records if record.cost]
    weights = [record.weights for record in records if record.weights]
    return Spent(
        fit_seconds=_mean(cost.fit_seconds for cost in costs),
        cpu_hours=sum(cost.cpu_hours for cost in costs),
        gpu_hours=sum(cost.gpu_hours for cost in costs),
        pretraining_cpu_hours=max((w.cpu_hours for w in weights), default=0.0),
        pretraining_gpu_hours=max((w.gpu_hours for w in weights), default=0.0),
    )


def _scale(records: Sequence[Record]) -> Scale:
    """Several trainings with weights of their own, as after a change of seed, give the mean."""
    if not any(record.arm.twin for record in records):
        return Scale(0.0, 0.0, 0.0, 0.0)
    weights = [record.weights for record in records if record.weights]
    return Scale(
        _mean(w.volumes for w in weights if w.volumes is not None),
        _mean(w.masks for w in weights if w.masks is not None),
        _mean(w.gpu_hours for w in weights),
        _mean(w.cpu_hours for w in weights),
    )


def _contamination(records: Sequence[Record]) -> str:
    """The one verdict of all records, else unknown."""
    found = {record.contamination.status for record in records if record.contamination}
    return found.pop() if len(found) == 1 else "unknown"


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else math.nan
