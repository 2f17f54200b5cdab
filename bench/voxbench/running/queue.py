"""Jobs that wait, in their order, and what those before them have come to."""

import time
from collections import Counter
from collections.abc import Iterable

from voxbench.running.jobs import Job, JobOutcome, PretrainingJob

RETRIES_S = (5.0, 30.0)
"""Before a job that failed by the machine's fault is tried again, each time."""


class Queue:
    """What an engine takes its jobs from and tells its outcomes to.

    Attributes:
        waiting: jobs in their order; more may be added while others run.
        running: how many were taken and are not over.
        made: ids of the pre-trainings that are done.
        failed: ids of those that failed, and why.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self.waiting = list(jobs)
        self.running = 0
        self.made: set[str] = set()
        self.failed: dict[str, str] = {}
        self._tries: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}

    def add(self, jobs: Iterable[Job]) -> None:
        """Let more jobs wait."""
        self.waiting.extend(jobs)

    def take(self) -> Job | None:
        """The first job that can be done now, or never: its weights are there, or have failed."""
        now = time.monotonic()
        for i, job in enumerate(self.waiting):
            ready = job.needs is None or job.needs in self.made or job.needs in self.failed
            if ready and self._not_before.get(job.id, now) <= now:
                self.running += 1
                return self.waiting.pop(i)
        return None

    def doomed(self, job: Job) -> str | None:
        """Why the weights that a job needs could not be made; None if they could."""
        return self.failed.get(job.needs) if job.needs else None

    def retry(self, outcome: JobOutcome) -> float | None:
        """Let a job that failed by the machine's fault wait to be tried again.

        Returns:
            In how many seconds; None if it is over.
        """
        job = outcome.job
        if outcome.failure is None or outcome.kind != "machine":
            return None
        if (tried := self._tries[job.id]) == len(RETRIES_S):
            return None
        self._tries[job.id] += 1
        self._not_before[job.id] = time.monotonic() + RETRIES_S[tried]
        self.waiting.insert(0, job)
        self.running -= 1
        return RETRIES_S[tried]

    def note(self, outcome: JobOutcome) -> None:
        """A job that was taken is over."""
        self.running -= 1
        if not isinstance(outcome.job, PretrainingJob):
            return
        if outcome.failure is None:
            self.made.add(outcome.job.id)
        else:
            self.failed[outcome.job.id] = outcome.failure

    @property
    def over(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not (self.waiting or self.running)
