"""A record with all that is known of a cell before it runs."""

from voxbench import metrics
from voxbench.design.seeds import streams
from voxbench.records.environment import environment
from voxbench.records.record import Record
from voxbench.running.bind import BoundCell
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
        contamination=bound.contamination,
        metrics_version=metrics.METRICS_VERSION,
        tuning=bound.trainings.tuning,
    )
