"""Records as arrays: the trainings of each arm at each fraction of each task, in one group."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from voxbench.analyses.groups import Failed, Group, Run, Scale, Spent, Where
from voxbench.analyses.settings import settings, suffixes
from voxbench.errors import RecordError
from voxbench.records import Record, Store
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.metric import METRICS


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


def _group(where: Where, arm: str, records: Sequence[Record]) -> Group:
    finished = _finished(where, arm, records)
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


def _finished(where: Where, arm: str, records: Sequence[Record]) -> dict[Run, Record]:
    found: dict[Run, Record] = {}
    for record in records:
        if record.status == "ok":
            run = Run(record.arm.draw, record.arm.seed)
            other = found.setdefault(run, record)
            if other is not record:
                raise RecordError(
                    f"records {other.key} and {record.key} are the same training ({arm} on "
                    f"{where.task}, {where.fraction}, draw {run.draw}, seed {run.seed}) with other "
                    "weights or data: delete the older one."
                )
    return found


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
