"""Who runs the jobs: worker processes here, or a cluster. Plugins of the group `voxbench.engines`.

An engine is a frozen dataclass below `Engine`; a sweep sets its fields in `[engine.NAME]`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import ClassVar

from voxbench import stopping
from voxbench.progress import News
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.options import Run
from voxbench.running.perform import failed, store_failure
from voxbench.running.queue import JobDoomed, JobFound, Queue
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


Event = JobStart | JobFound | JobRetry | JobOutcome
Hear = Callable[[Job, News], None]


@dataclass(frozen=True)
class Engine(ABC):
    """Runs jobs somewhere, and tells of each as it begins and as it is over.

    Attributes:
        runs_all_missing: of a sweep, not only the jobs that it is told to.
    """

    runs_all_missing: ClassVar[bool] = False

    @abstractmethod
    def work(self, queue: Queue, run: Run, hear: Hear) -> Generator[Event, None, None]:
        """Take jobs until the queue is over.

        A cell's record is stored before its outcome is told. Whoever reads the events may add jobs
        to the queue between two of them, and may stop reading: what runs in this process and its
        children is then lost.

        Args:
            queue: of the jobs; a job whose weights could not be made fails with the reason.
            run: what the jobs are of.
            hear: is told how far a job is.
        """

    @classmethod
    def lacks(cls) -> str | None:
        """What has to be installed before it can be used, and how; None if it is all there."""
        return None


def next_job(queue: Queue, worker: Worker) -> Generator[Event, None, Job | None]:
    """Take the next job that has to be worked on; tells of those that are over without."""
    while taken := queue.take():
        match taken:
            case JobFound():
                yield taken
            case JobDoomed(job, reason):
                yield from conclude(queue, failed(job, reason, worker), worker)
            case job:
                return job
    return None


def conclude(
    queue: Queue, outcome: JobOutcome, worker: Worker
) -> Generator[JobRetry | JobOutcome, None, None]:
    """Let a job be tried again where that may help; else note and store what became of it.

    One that was asked to stop is given back, whatever it did with its process on the way.
    """
    if outcome.kind == "stopped" or (outcome.kind == "machine" and stopping.asked()):
        queue.give_back(outcome.job)
    elif outcome.failure and (seconds := queue.retry(outcome)) is not None:
        yield JobRetry(outcome.job, outcome.failure, seconds)
    else:
        store_failure(outcome, worker)
        queue.note(outcome)
        yield outcome
