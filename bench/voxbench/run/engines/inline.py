"""The engine that runs every job in this process, one after the other."""

from collections.abc import Generator, Sequence

from voxbench.run.engines import Event, JobStart
from voxbench.run.jobs import give_up, perform
from voxbench.run.queue import Queue
from voxbench.run.worker import Worker


def run_inline(queue: Queue, workers: Sequence[Worker]) -> Generator[Event, None, None]:
    """See `Engine`; the first worker is this process."""
    worker = workers[0]
    while job := queue.take():
        if reason := queue.doomed(job):
            outcome = give_up(job, reason, worker)
        else:
            yield JobStart(job)
            outcome = perform(job, worker)
        queue.note(outcome)
        yield outcome
