"""Whether a job still fits into the time that a process has."""

import time
from collections.abc import Callable, Sequence

from voxbench.running.jobs import CellJob, Job
from voxbench.running.plan import Planned, with_costs

RESUMED_S = 120.0
"""With so much time left a training is begun even if it takes longer: it is taken up again."""


def fits(cells: Sequence[Planned], until: float) -> Callable[[Job], bool]:
    """What says whether a job may begin.

    By what cells of its kind took, or else an estimate; where neither is known it may.

    Args:
        cells: the plan that the jobs are of.
        until: moment of `time.monotonic` at which all ends.
    """
    planned, weights = with_costs(cells)
    expected = {one.key: one.seconds for one in planned}
    expected |= {one.job.id: one.seconds for one in weights}

    def may_begin(job: Job) -> bool:
        left, seconds = until - time.monotonic(), expected.get(job.id)
        continued = not isinstance(job, CellJob) or job.cell.trainings.cell.is_trained
        return left > 0 and (seconds is None or seconds <= left or (continued and left > RESUMED_S))

    return may_begin
