"""Who runs the jobs: this process, or a pool of worker processes."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from voxbench.run.jobs import Job, JobOutcome
from voxbench.run.queue import Queue
from voxbench.run.worker import Worker


@dataclass(frozen=True)
class JobStart:
    """A job has begun."""

    job: Job


Event = JobStart | JobOutcome


class Engine(Protocol):
    """Runs jobs on workers, and tells of each as it begins and as it is over."""

    def __call__(self, queue: Queue, workers: Sequence[Worker]) -> Generator[Event, None, None]:
        """Take jobs until the queue is over.

        A cell's record is stored before its outcome is told. Whoever reads the events may add jobs
        to the queue between two of them, and may stop reading: the jobs that run are then lost.

        Args:
            queue: of the jobs; a job whose weights could not be made fails with the reason.
            workers: at least one; how many jobs run at a time, and where.
        """
