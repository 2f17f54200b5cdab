"""Who runs the jobs: this process, or a pool of worker processes."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from voxbench.progress import News
from voxbench.running.jobs import Job, JobOutcome, store_failure
from voxbench.running.queue import Queue
from voxbench.running.worker import Worker


@dataclass(frozen=True)
class JobStart:
    """A job has begun."""

    job: Job


@dataclass(frozen=True)
class JobRetry:
    """A job has failed by the machine's fault and is tried again.

    Attributes:
        failure: why.
        seconds: until then.
    """

    job: Job
    failure: str
    seconds: float


Event = JobStart | JobRetry | JobOutcome
Hear = Callable[[Job, News], None]


class Engine(Protocol):
    """Runs jobs on workers, and tells of each as it begins and as it is over."""

    def __call__(
        self, queue: Queue, workers: Sequence[Worker], hear: Hear
    ) -> Generator[Event, None, None]:
        """Take jobs until the queue is over.

        A cell's record is stored before its outcome is told. Whoever reads the events may add jobs
        to the queue between two of them, and may stop reading: the jobs that run are then lost.

        Args:
            queue: of the jobs; a job whose weights could not be made fails with the reason.
            workers: at least one; how many jobs run at a time, and where.
            hear: is told how far a job is.
        """


def settle(queue: Queue, outcome: JobOutcome, worker: Worker) -> JobRetry | JobOutcome:
    """Let a job be tried again where that may help; else note and store what became of it."""
    if outcome.failure and (seconds := queue.retry(outcome)) is not None:
        return JobRetry(outcome.job, outcome.failure, seconds)
    store_failure(outcome, worker)
    queue.note(outcome)
    return outcome
