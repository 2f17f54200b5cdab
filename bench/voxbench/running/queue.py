"""Jobs that wait, in their order, and what those before them have come to."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voxbench import stopping
from voxbench.locks import Lock
from voxbench.paths import cache_dir
from voxbench.pretrain.plan import seconds_made
from voxbench.records import Store, claims
from voxbench.records.active import ActiveRecords
from voxbench.records.external import external_store
from voxbench.records.trials import Trials
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running.jobs import (
    ActiveJob,
    CellJob,
    ExternalJob,
    Job,
    JobOutcome,
    PretrainingJob,
    TrialJob,
    UncertaintyJob,
)

RETRIES_S = (5.0, 30.0)
"""Before a job that failed by the machine's fault is tried again, each time."""
LOOKS_S = (0.05, 10.0)
"""Between two looks at a job that another process has: at first, doubled each time, and at most."""


@dataclass(frozen=True)
class JobFound:
    """A job's result is there: another process has made it."""

    job: Job


@dataclass(frozen=True)
class JobDoomed:
    """A job that was taken can only fail.

    Attributes:
        reason: why the weights that it needs could not be made.
    """

    job: Job
    reason: str


class Queue:
    """What an engine takes its jobs from and tells its outcomes to; who takes a job has claimed it.

    Attributes:
        root: the output folder, which other processes may share.
        stay: wait for jobs that other processes have, until their results are there.
        fits: whether a job can be begun in the time that is left; None where there is no end.
        waiting: jobs in their order; more may be added while others run.
        running: how many were taken and are not over.
        made: ids of the pre-trainings that are done.
        failed: ids of those that failed, and why.
        unfit: ids of jobs that there is no time for any more.
    """

    def __init__(
        self,
        root: Path,
        jobs: Iterable[Job] = (),
        *,
        stay: bool = True,
        fits: Callable[[Job], bool] | None = None,
    ) -> None:
        self.root, self.stay, self.fits = root, stay, fits
        self.store, self.external = Store(root), external_store(root)
        self.waiting: list[Job] = []
        self.running = 0
        self.made: set[str] = set()
        self.failed: dict[str, str] = {}
        self.unfit: set[str] = set()
        self._needing: dict[str, list[Job]] = defaultdict(list)
        self._claims: dict[str, Lock] = {}
        self._elsewhere: set[str] = set()
        self._stamps: dict[str, tuple[int, int] | None] = {}
        self._tries: Counter[str] = Counter()
        self._waits: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self.add(jobs)

    def add(self, jobs: Iterable[Job]) -> None:
        """Let more jobs wait."""
        for job in jobs:
            if isinstance(job, CellJob | ExternalJob) and job.again:
                self._stamps[job.id] = self._stamp(job)
            if job.needs:
                self._needing[job.needs].append(job)
            self.waiting.append(job)

    def take(self) -> Job | JobFound | JobDoomed | None:
        """Claim the first job that can be done now, or never: its weights are made, or failed.

        None while there is none, and once this process is asked to stop.
        """
        for i in self._ready():
            job = self.waiting[i]
            if job.id not in self._claims:
                if self._is_done(job):
                    return self._found(i)
                if not self._fits(job) or not self._claim(job):
                    continue
                if self._is_done(job):
                    return self._found(i)
            self.running += 1
            del self.waiting[i]
            reason = self.failed.get(job.needs) if job.needs else None
            return job if reason is None else JobDoomed(job, reason)
        return None

    def found(self) -> Iterator[JobFound]:
        """Those of the waiting jobs that other processes have done; nothing is claimed."""
        for i in reversed(range(len(self.waiting))):
            if self._is_done(self.waiting[i]):
                yield self._found(i)

    def retry(self, outcome: JobOutcome) -> float | None:
        """Let a job that failed by the machine's fault wait to be tried again; it stays claimed.

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

    def give_back(self, job: Job) -> None:
        """Let a job that was taken wait again, for whoever takes it."""
        self.waiting.insert(0, job)
        self.running -= 1
        self._release(job)

    def note(self, outcome: JobOutcome) -> None:
        """A job that was taken is over.

        A pre-training that failed stays claimed until the queue is closed: nobody is to try it
        before all that needs it has failed with it.
        """
        job = outcome.job
        self.running -= 1
        if isinstance(job, PretrainingJob) and outcome.failure is not None:
            self.failed[job.id] = outcome.failure
            return
        if isinstance(job, PretrainingJob):
            self.made.add(job.id)
        self._release(job)

    def close(self) -> None:
        """Give back all that is claimed."""
        for claim in self._claims.values():
            claim.release()
        self._claims.clear()

    @property
    def over(self) -> bool:
        """Whether nothing runs, and nothing waits that this process can ever take."""
        return not self.running and (stopping.asked() or all(map(self._is_left, self.waiting)))

    def _is_left(self, job: Job) -> bool:
        """Whether a job is left to others: there is no time, or they have it and nothing follows.

        Behind trials there are cells to come.
        """
        elsewhere = job.id in self._elsewhere and not isinstance(job, TrialJob)
        return job.id in self.unfit or (elsewhere and not self.stay)

    def _ready(self) -> Iterator[int]:
        """Places of the jobs that wait for nothing; first those that can only fail."""
        if stopping.asked():
            return
        if self.failed:
            yield from (i for i, job in enumerate(self.waiting) if job.needs in self.failed)
        now = time.monotonic()
        for i, job in enumerate(self.waiting):
            ready = job.needs is None or job.needs in self.made
            if ready and self._not_before.get(job.id, now) <= now:
                yield i

    def _fits(self, job: Job) -> bool:
        """Whether there is time for a job; what needs it does not fit either."""
        if self.fits and job.id not in self.unfit and not self.fits(job):
            self.unfit.add(job.id)
            self.unfit.update(other.id for other in self.waiting if other.needs in self.unfit)
        return job.id not in self.unfit

    def _claim(self, job: Job) -> bool:
        claim = claims.take(place := _place(job, self.root), job.id)
        if claim:
            self._claims[job.id] = claim
            self._elsewhere.discard(job.id)
            return True
        if claims.is_worked_on(place, job.id):
            self._elsewhere.add(job.id)
        else:
            self._elsewhere.discard(job.id)
        first, most = LOOKS_S
        wait = self._waits[job.id] = min(most, 2 * self._waits.get(job.id, first / 2))
        self._not_before[job.id] = time.monotonic() + wait
        return False

    def _release(self, job: Job) -> None:
        self._claims.pop(job.id).release()

    def _found(self, i: int) -> JobFound:
        """Another process has done it, or all that it is needed for."""
        job = self.waiting.pop(i)
        if job.id in self._claims:
            self._release(job)
        if isinstance(job, PretrainingJob):
            self.made.add(job.id)
        return JobFound(job)

    def _is_done(self, job: Job) -> bool:
        if isinstance(job, CellJob | ExternalJob):
            return self._stamp(job) != self._stamps.get(job.id)
        if isinstance(job, TrialJob):
            return job.id in Trials(self.root)
        if isinstance(job, ActiveJob):
            return job.id in ActiveRecords(self.root)
        if isinstance(job, UncertaintyJob):
            return job.id in UncertaintyRecords(self.root)
        needing = self._needing[job.id]
        made = seconds_made(job.id) is not None
        return made or (bool(needing) and all(map(self._is_done, needing)))

    def _stamp(self, job: CellJob | ExternalJob) -> tuple[int, int] | None:
        """What a record changes when it is written; None while there is none."""
        store = self.external if isinstance(job, ExternalJob) else self.store
        try:
            status = store.path(job.id).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns


def _place(job: Job, root: Path) -> Path:
    """The folder that a job's result goes to."""
    return cache_dir() if isinstance(job, PretrainingJob) else root
