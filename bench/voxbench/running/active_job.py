"""A round of active learning: score the pool, label the most doubted cases, train anew, test."""

import os
import time
from collections.abc import Mapping, Sequence

import numpy as np
from nibabel.affines import voxel_sizes

from voxbench.api import IGNORED, Case
from voxbench.data.cell_data import CellData, load_cell_data, with_training
from voxbench.data.geometry import VoxelGrid
from voxbench.design.seeds import stream
from voxbench.environment import environment
from voxbench.fit.segmenter import fit_network
from voxbench.predict.case import score_cases
from voxbench.predict.members import Subject
from voxbench.progress import Stage, tell
from voxbench.records.active import ActiveRecord, ActiveRecords
from voxbench.running.jobs import ActiveJob
from voxbench.running.kept import keep_weights, load_kept
from voxbench.running.network import load_network
from voxbench.running.predicted import predicted
from voxbench.running.worker import Worker
from voxbench.score.uncertainty.case import Question
from voxbench.score.uncertainty.judged import judge_case
from voxbench.score.uncertainty.validation import NOTHING
from voxbench.uncertainty.active import query, within


def run_active(job: ActiveJob, worker: Worker) -> None:
    """Do a round and store its record; the network is kept for the round behind it.

    Cases are chosen from the training part of the task's split, less what is labelled already.

    Raises:
        DataError: a file is not what it was when the sweep was planned.
        WeightsError: kept weights are damaged.
        FitError: the loss is not finite.
    """
    records = ActiveRecords(worker.root)
    if job.id in records:  # by another process meanwhile
        return
    process, started, bound = os.getpid(), time.perf_counter(), job.cell
    dataset, grid = bound.trainings.dataset, bound.trainings.preprocessing
    data = load_cell_data(bound.cell, dataset, grid)
    labelled = _labelled(job, data, worker)
    pool = [case for case in dataset.split.train if case.id not in labelled]
    scores = _scores(job, pool, data, worker) if job.strategy.measure else {}
    slices = {case.id: _slices(data.prepared[case.id].grid) for case in pool}
    queried = _chosen(job, pool, scores, slices)
    labelled |= {*queried}

    mine = with_training(data, bound.cell, dataset, grid, labelled)
    network, _ = load_network(bound, worker)
    checkpoint = worker.root / "checkpoints" / f"{job.id}.ckpt"
    fit_network(network, bound.cell, mine, worker.device, checkpoint)
    cases = score_cases(network, mine.test, mine, bound.cell.recipe, worker.device)
    record = ActiveRecord(
        key=job.id,
        smoke=bound.cell.limit is not None,
        sweep=worker.sweep,
        cell=bound.key,
        arm=bound.arm,
        strategy=str(job.strategy),
        model=(job.model.name, job.model.without_locations().values),
        round=job.number,
        budget=job.table.budget,
        in_slices=job.table.in_slices,
        slices=sum(slices[name] for name in queried),
        queried=queried,
        scores=scores,
        labelled=[case.id for case in mine.train],
        cases=cases,
        seconds=time.perf_counter() - started,
        environment=environment(worker.device, worker.threads),
    )
    if os.getpid() == process:  # and not a copy that a plugin forked
        keep_weights(network, worker.root, job.id)
        records.write(record)
        checkpoint.unlink(missing_ok=True)


def _labelled(job: ActiveJob, data: CellData, worker: Worker) -> set[str]:
    """What the network was trained on that scores the pool."""
    if job.number == 1:
        return {case.id for case in data.train}
    return {*ActiveRecords(worker.root).read(job.before).labelled}


def _scores(
    job: ActiveJob, pool: Sequence[Case], data: CellData, worker: Worker
) -> dict[str, float]:
    """How much each case of the pool is doubted; nobody looks at its label."""
    network = load_kept(job.cell, worker.root, worker.device, job.before)
    how = job.cell.cell.recipe, worker.device, data.mirrored, job.cell.seed
    measure, aggregation = str(job.strategy.measure), str(job.strategy.aggregation)
    question, found = Question({}, IGNORED, [measure], [aggregation], []), {}
    for done, case in enumerate(pool, start=1):
        prepared = data.prepared[case.id]
        spacing_mm = tuple(voxel_sizes(np.array(prepared.grid.affine)).tolist())
        said = predicted(job.model, Subject([network], prepared, *how), [measure], spacing_mm)
        judged = judge_case(case.id, case.patient, said, question, NOTHING)
        found[case.id] = judged.scores[measure][aggregation]
        tell(Stage("scoring the pool", done, len(pool)))
    return found


def _chosen(
    job: ActiveJob, pool: Sequence[Case], scores: Mapping[str, float], slices: Mapping[str, int]
) -> list[str]:
    """As many as the budget says, or all that are left."""
    names, table = [case.id for case in pool], job.table
    if scores:
        doubt = np.array([scores[name] for name in names])
        ordered = query(names, np.where(np.isnan(doubt), np.inf, doubt), 1.0)
    else:
        seed = stream("query", draw=job.cell.draw, seed=job.cell.seed, round=job.number)
        drawn = np.random.default_rng(seed).permutation(len(names))
        ordered = [names[place] for place in drawn]
    return within(ordered, slices, table.budget) if table.in_slices else ordered[: table.budget]


def _slices(grid: VoxelGrid) -> int:
    """Of a case's files: along the axis of the largest spacing, the last of equals."""
    spacing_mm = voxel_sizes(np.array(grid.affine))
    return grid.native[2 - int(np.argmax(spacing_mm[::-1]))]
