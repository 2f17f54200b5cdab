"""Doing a job in this process, and what becomes of one that failed."""

import os

from voxbench import stopping
from voxbench.records import Record
from voxbench.records.external import store_of
from voxbench.records.failures import FailureRecord, Failures
from voxbench.records.places import without_places
from voxbench.running.faults import Kind, kind_of_failure, why_failed
from voxbench.running.jobs import (
    ActiveJob,
    CellJob,
    ExternalJob,
    Job,
    JobOutcome,
    PretrainingJob,
    TrialJob,
    UncertaintyJob,
)
from voxbench.running.unfinished import unfinished_external, unfinished_record
from voxbench.running.worker import Worker


def perform(job: Job, worker: Worker) -> JobOutcome:
    """Do a job in this process; the record of a cell that succeeds is stored before this ends."""
    import torch

    from voxbench.pretrain.engine import make_weights
    from voxbench.running.active_job import run_active
    from voxbench.running.cell import run_cell
    from voxbench.running.external import score_on_external
    from voxbench.running.trial import run_trial
    from voxbench.running.uncertainty_job import run_uncertainty

    torch.set_num_threads(worker.threads)
    record, this = _unfinished(job, worker), os.getpid()
    try:
        with stopping.at_once():
            if isinstance(job, PretrainingJob):
                make_weights(job.plan, device=worker.device, threads=worker.threads)
            elif isinstance(job, TrialJob):
                run_trial(job, worker)
            elif record and isinstance(job, ExternalJob):
                score_on_external(record, job.cell, job.test, worker)
            elif isinstance(job, UncertaintyJob):
                run_uncertainty(job, worker)
            elif isinstance(job, ActiveJob):
                run_active(job, worker)
            elif record:
                run_cell(record, job.cell, worker)
        return JobOutcome(job, record)
    except stopping.Stopped:
        return JobOutcome(job, None, "asked to stop", "stopped")
    except (Exception, SystemExit) as error:  # noqa: BLE001 (one job never stops the others)
        return failed(job, why_failed(error), worker, kind_of_failure(error, worker.root), record)
    finally:
        if os.getpid() != this:  # a plugin forked, and this is the copy
            os._exit(1)


def _unfinished(job: Job, worker: Worker) -> Record | None:
    """The record that a job is to fill."""
    if isinstance(job, ExternalJob):
        return unfinished_external(job.cell, job.test, worker)
    return unfinished_record(job.cell, worker) if isinstance(job, CellJob) else None


def failed(
    job: Job, reason: str, worker: Worker, kind: Kind = "science", record: Record | None = None
) -> JobOutcome:
    """The outcome of a job that failed, or whose worker died, or whose weights were not made.

    Only a cell has a record then: all else is not over, and run again.

    Args:
        job: that failed.
        reason: why.
        worker: that had it.
        kind: whose fault it is.
        record: what is known of the cell so far.
    """
    record = record or _unfinished(job, worker)
    if record is None:
        return JobOutcome(job, None, reason, kind)
    record.status, record.failure = "failed", without_places(reason)
    return JobOutcome(job, record, reason, kind)


def store_failure(outcome: JobOutcome, worker: Worker) -> None:
    """Store why a cell, predictions of cells or a round failed.

    The result of an earlier run, or of another one in the same folder, stays as it is; and where
    the disk is at fault, a failure that says so helps nobody.
    """
    job, record, reason = outcome.job, outcome.record, outcome.failure
    if reason is None or outcome.kind == "storage":
        return
    if isinstance(job, UncertaintyJob | ActiveJob):
        told = FailureRecord(key=job.id, sweep=worker.sweep, work=str(job), failure=reason)
        Failures(worker.root).write(told)
    elif record is not None:
        store = store_of(record, worker.root)
        known = store.read(record.key)
        if known is None or known.status != "ok":
            store.write(record)
