"""Every job in this process, one after the other."""

import time
from collections.abc import Generator, Sequence
from functools import partial

from voxbench.progress import heard_by
from voxbench.running.engines import Event, Hear, JobStart, settle
from voxbench.running.jobs import failed, perform
from voxbench.running.queue import Queue
from voxbench.running.worker import Worker


def run_inline(queue: Queue, workers: Sequence[Worker], hear: Hear) -> Generator[Event, None, None]:
    """Take jobs until the queue is over, see `Engine`; the first worker is this process."""
    worker = workers[0]
    while not queue.over:
        job = queue.take()
        if job is None:  # all that is left waits to be tried again
            time.sleep(0.1)
            continue
        if reason := queue.doomed(job):
            outcome = failed(job, reason, worker)
        else:
            yield JobStart(job)
            with heard_by(partial(hear, job)):
                outcome = perform(job, worker)
        yield settle(queue, outcome, worker)
