"""A record with all that is known of a cell before it runs."""

from voxbench import metrics
from voxbench.design.seeds import streams
from voxbench.records.environment import environment
from voxbench.records.record import Record
from voxbench.run.contamination import contamination
from voxbench.run.jobs import Place
from voxbench.run.plan import Planned


def blank(planned: Planned, place: Place) -> Record:
    """The record of a cell that has not finished: status failed, no scores."""
    cell = planned.arranged.cell
    return Record(
        key=planned.key,
        status="failed",
        smoke=cell.limit is not None,
        sweep=place.sweep,
        arm=planned.arranged.arm,
        cell=cell.to_json(),
        environment=environment(place.device, place.threads),
        seeds=streams(cell),
        contamination=contamination(cell),
        metrics_version=metrics.METRICS_VERSION,
    )
