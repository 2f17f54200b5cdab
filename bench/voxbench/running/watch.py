"""Who is told how a sweep goes."""

from collections.abc import Sequence

from voxbench.progress import News
from voxbench.running.engines import JobRetry
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.plan import Planned


class Watch:
    """Is told of the progress, and does nothing of it: override what is to be shown."""

    def planned(self, cells: Sequence[Planned], todo: Sequence[Job]) -> None:
        """What there is and what will run."""

    def added(self, more: Sequence[Job]) -> None:
        """What will run besides, now that it is known."""

    def started(self, job: Job) -> None:
        """A job has begun."""

    def heard(self, job: Job, news: News) -> None:
        """A job tells how far it is, or what should be known."""

    def retried(self, retry: JobRetry) -> None:
        """A job failed by the machine's fault, and is tried again."""

    def found(self, job: Job) -> None:
        """A job's result is there: another process has made it."""

    def finished(self, outcome: JobOutcome) -> None:
        """A job has ended; its record is stored."""


SILENT = Watch()
