"""Records as arrays: the trainings of each arm at each fraction of each task, in one group."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.empties import MEASURED, measured, undefined
from voxbench.analyses.groups import Course, Group, Scale, Spent, Where, find_arms
from voxbench.analyses.imports import adopted, homes
from voxbench.analyses.more_steps import judged_by_longer
from voxbench.analyses.settings import (
    Kind,
    all_but_steps,
    recipe_of,
    settings,
    steps_of,
    suffixes,
)
from voxbench.analyses.trainings import failed_in, finished_in, folds_in, waiting_in
from voxbench.errors import RecordError
from voxbench.records import Facts, Scored, ScoredRecord, Store
from voxbench.records.convergence import convergence, mean_curve
from voxbench.records.scored import scores_of
from voxbench.records.scores import Scores
from voxbench.stats.arrays import Array
from voxbench.stats.metric import ALL

Members = Mapping[tuple[Where, str], Sequence[Kind]]
"""The records of each arm, under its label, at each fraction of each task."""


def records_in(folder: Path) -> list[ScoredRecord]:
    """Read the records of a folder, without their scores yet.

    Raises:
        RecordError: there is no record, or one can't be read.
    """
    records = list(Store(folder).scored())
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


def of_arms(members: Members[Kind], arms: Sequence[str]) -> Members[Kind]:
    """Those of some arms only, as `find_arms` finds them.

    Raises:
        SpecError: an arm is unknown.
    """
    labels = [label for _, label in members]
    wanted = {arm for name in arms for arm in find_arms(labels, name)}
    return {key: found for key, found in members.items() if key[1] in wanted}


def read_groups(records: Iterable[Scored]) -> list[Group]:
    """Group records by task, fraction and arm; sorted by task, labelled patients and arm.

    Raises:
        RecordError: two records hold the same training.
    """
    return groups_of(by_arm(records))


def groups_of(members: Members[Scored]) -> list[Group]:
    """The groups of records that are told apart by arm, in the order of `read_groups`.

    Raises:
        RecordError: two records hold the same training.
    """
    found = adopted([_group(where, arm, own) for (where, arm), own in members.items()])
    groups = judged_by_longer(found, found)
    sizes = {(g.where.task, g.where.fraction): g.train_patients for g in groups if g.runs}

    def order(group: Group) -> tuple[object, ...]:
        task, adaptation, fraction, setting, test = group.where
        size = sizes.get((task, fraction), math.inf)
        return task, test, adaptation, setting, size, fraction, group.twin is not None, group.arm

    return sorted(groups, key=order)


def by_arm(records: Iterable[Kind]) -> dict[tuple[Where, str], list[Kind]]:
    """The records of each arm, under its label, at each fraction of each task.

    Imported ones stand wherever own arms were run on their task at their fraction.
    """
    kept = list(records)
    setting = settings(kept)
    there = homes(kept, setting)
    suffix = suffixes(kept)
    members: dict[tuple[Where, str], list[Kind]] = defaultdict(list)
    for record in kept:
        arm = record.arm
        test = record.external.name if record.external else ""
        own = Where(arm.task, arm.adaptation, arm.fraction, setting[record.key], test)
        joined = there.get((arm.task, arm.fraction)) if record.imported else None
        for where in joined or [own]:
            members[where, arm.baseline + suffix[record.key]].append(record)
    return members


def _group(where: Where, arm: str, records: Sequence[Scored]) -> Group:
    finished = finished_in(where, arm, records)
    runs = sorted(finished)
    done = [record for run in runs for record in finished[run]]
    scores = [scores_of(record) for record in done]
    columns = [column for column, run in enumerate(runs) for _ in finished[run]]
    cases = sorted(
        {case for found in scores for case in zip(found.patients, found.cases, strict=True)}
    )
    names = list(dict.fromkeys(name for found in scores for name in found.names))
    values = {key: np.full((len(cases), len(names), len(runs)), np.nan) for key in MEASURED}
    lacking = {key: np.zeros(len(names), np.intp) for key in ALL}
    rows = {case: row for row, case in enumerate(cases)}
    for column, found in zip(columns, scores, strict=True):
        _add(found, rows, names, {key: own[:, :, column] for key, own in values.items()}, lacking)
    return Group(
        where=where,
        arm=arm,
        twin=records[0].arm.twin,
        train_patients=_mean(r.data.train_patients for r in done if r.data),
        runs=tuple(runs),
        keys=tuple((run, record.key) for run in runs for record in finished[run]),
        cases=tuple(cases),
        folds=folds_in(done),
        classes=tuple(names),
        values=values,
        lacking=lacking,
        failed=failed_in(records, finished),
        failed_cases=sum(found.failed for found in scores),
        spent=_spent(done),
        scale=_scale(done),
        contamination=_contamination(records),
        smoke=any(record.smoke for record in records),
        recipe=recipe_of(records[0]),
        imported=any(record.imported for record in records),
        course=_course([*done, *records][0], done),
        convergence=convergence(done),
        remarks=(*_notes(done), *waiting_in(records, runs)),
    )


def _course(record: Facts, done: Sequence[Facts]) -> Course:
    curve = mean_curve([found.validation for found in done])
    return Course(steps_of(record), all_but_steps(record), curve)


def _notes(records: Sequence[Facts]) -> Iterator[str]:
    if any(record.imported for record in records):
        yield "imported"
    folds = {record.arm.fold for record in records if record.arm.fold is not None}
    of = {told["of"] for record in records if (told := record.cell.get("fold"))}
    if folds and of and len(folds) < max(of):
        yield f"of {max(of)} folds only {', '.join(map(str, sorted(folds)))}"
    elif folds:
        yield f"{len(folds)}-fold cross-validation"
    commits = {str(record.environment.get("commit") or "") for record in records} - {""}
    if any(commit.endswith("-dirty") for commit in commits):
        yield "dirty commit"
    if len(commits) > 1:
        yield f"{len(commits)} commits"


def _add(
    scores: Scores,
    rows: Mapping[tuple[str, str], int],
    names: Sequence[str],
    values: Mapping[str, Array],
    lacking: Mapping[str, NDArray[np.intp]],
) -> None:
    """Put the scores of a training into (case, class) of each metric, and count what they lack."""
    found = dict(zip(MEASURED, measured(scores), strict=True))
    row = np.array(
        [rows[case] for case in zip(scores.patients, scores.cases, strict=True)], np.intp
    )
    column = np.array([names.index(name) for name in scores.names], np.intp)
    for key, own in values.items():
        own[row[scores.case], column[scores.name]] = found[key]
    for key, count in undefined(scores, found).items():
        lacking[key][column] += count


def _spent(records: Sequence[Facts]) -> Spent:
    """Weights are made once and shared, as tuning is: their hours are those of one record."""
    costs = [record.cost for record in records if record.cost]
    weights = [record.weights for record in records if record.weights]
    tuned = [record.tuning for record in records if record.tuning]
    return Spent(
        fit_seconds=_mean(cost.fit_seconds for cost in costs),
        cpu_hours=sum(cost.cpu_hours for cost in costs),
        gpu_hours=sum(cost.gpu_hours for cost in costs),
        pretraining_cpu_hours=max((w.cpu_hours for w in weights), default=0.0),
        pretraining_gpu_hours=max((w.gpu_hours for w in weights), default=0.0),
        tuning_cpu_hours=max((own.cpu_hours for own in tuned), default=0.0),
        tuning_gpu_hours=max((own.gpu_hours for own in tuned), default=0.0),
    )


def _scale(records: Sequence[Facts]) -> Scale:
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


def _contamination(records: Sequence[Facts]) -> str:
    """The one verdict of all records, else unknown."""
    found = {record.contamination.status for record in records if record.contamination}
    return found.pop() if len(found) == 1 else "unknown"


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else math.nan
