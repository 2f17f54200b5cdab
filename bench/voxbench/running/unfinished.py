"""A record with all that is known of a cell, or of scores on other cases, before it runs."""

from voxbench import metrics
from voxbench.data.external_test import ExternalTest
from voxbench.design.seeds import streams
from voxbench.environment import environment
from voxbench.errors import RecordError
from voxbench.records import Store
from voxbench.records.provenance import External
from voxbench.records.record import Record
from voxbench.running.bound import BoundCell
from voxbench.running.worker import Worker


def unfinished_record(bound: BoundCell, worker: Worker) -> Record:
    """The record of a cell that has not finished: status failed, no scores."""
    return Record(
        key=bound.key,
        status="failed",
        smoke=bound.cell.limit is not None,
        sweep=worker.sweep,
        arm=bound.arm,
        environment=environment(worker.device, worker.threads, bound.cell.devices),
        cell=bound.cell.to_json(),
        seeds=streams(bound.cell),
        contamination=bound.trainings.contamination,
        metrics_version=metrics.METRICS_VERSION,
        tuning=bound.trainings.tuning,
    )


def unfinished_external(bound: BoundCell, test: ExternalTest, worker: Worker) -> Record:
    """The record of a trained network that was not scored on an external test set yet.

    It tells of the training what the cell's record does.

    Raises:
        RecordError: the cell has no result.
    """
    trained = Store(worker.root).read(bound.key)
    if trained is None or trained.data is None or trained.status != "ok":
        raise RecordError(f"{bound.key}: not trained yet; run the sweep first.")
    cases = [case.id for case in test.cases[: bound.cell.limit]]
    external = External(
        name=test.name,
        data=test.dataset.card.name,
        training=bound.key,
        fingerprint=test.dataset.identity,
        classes={**test.classes},
        lacking=[*test.lacking],
    )
    return trained.model_copy(
        update={
            "key": test.key(bound.key),
            "status": "failed",
            "sweep": worker.sweep,
            "environment": environment(worker.device, worker.threads),
            "data": trained.data.model_copy(update={"test": cases}),
            "cost": None,
            "contamination": None,
            "metrics_version": metrics.METRICS_VERSION,
            "cases": [],
            "external": external,
        }
    )
