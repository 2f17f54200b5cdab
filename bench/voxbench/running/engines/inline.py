"""Every job in this process, one after the other."""

import time
from collections.abc import Generator, Sequence
from functools import partial

from voxbench.progress import heard_by
from voxbench.running.engines import Event, Hear, JobStart, conclude, next_job
from voxbench.running.perform import perform
from voxbench.running.queue import Queue
from voxbench.running.worker import Worker

_LOOK_S = 0.05


def run_inline(queue: Queue, workers: Sequence[Worker], hear: Hear) -> Generator[Event, None, None]:
    """Take jobs until the queue is over, see `Engine`; the first worker is this process."""
    worker = workers[0]
    while not queue.over:
        job = yield from next_job(queue, worker)
        if job is None:  # all that is left waits to be tried again, or is another's
            time.sleep(_LOOK_S)
            continue
        yield JobStart(job)
        with heard_by(partial(hear, job)):
            outcome = perform(job, worker)
        yield from conclude(queue, outcome, worker)
