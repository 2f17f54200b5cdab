"""A worker's process, from both ends of its pipe."""

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from voxbench import plugins, stopping
from voxbench.child import Child, Reporter, born, pickled
from voxbench.progress import News, Stage, heard_by
from voxbench.records import Record
from voxbench.running.faults import Kind
from voxbench.running.jobs import Job
from voxbench.running.perform import perform
from voxbench.running.worker import Worker, card_number


class WorkerAnswer(NamedTuple):
    """What a process makes of its job; see `JobOutcome`."""

    record: Record | None
    failure: str | None
    kind: Kind


class WorkerProcess(Child):
    """A running worker, as its parent sees it; all that it has to lose is its job.

    Attributes:
        worker: what it works with.
        job: that it has; None while it waits.
        given: devices of that job, its own first.
        since: when it began with that; imports of a new process come first.
        heard: when it was last heard of.
    """

    def __init__(self, worker: Worker) -> None:
        super().__init__(__name__, serve_jobs.__name__, worker.environment)
        self.worker = worker
        self.job: Job | None = None
        self.given: Sequence[str] = ()
        self.since, self.heard = math.inf, 0.0
        self.pipe.send(worker.alone())

    @property
    def devices(self) -> Sequence[str]:
        """Those that it works on now."""
        return self.given if self.job else ()

    def give(self, job: Job, devices: Sequence[str]) -> None:
        """Let it do a job; one that has died since is found out when it is asked."""
        cards = [card_number(device) for device in devices] if devices[1:] else []
        written = pickled((job, cards))
        self.job, self.given = job, devices
        self.since, self.heard = math.inf, time.monotonic()
        with suppress(OSError):
            self.pipe.send_bytes(written)

    def received(self) -> Iterator[News | WorkerAnswer]:
        """What it has said since it was last asked."""
        try:
            while self.pipe.poll():
                said: News | WorkerAnswer = self.pipe.recv()
                self.heard = time.monotonic()
                self.since = min(self.since, self.heard)
                yield said
        except (EOFError, OSError):  # it has ended
            return

    def stop(self) -> None:
        """Ask it to store where its job is; it answers that this has stopped."""
        self.process.send_signal(signal.SIGUSR1)


def serve_jobs(pipe: Connection) -> None:
    """A worker's life: job after job, until its parent closes the pipe."""
    born(pipe)
    worker: Worker = pipe.recv()
    for folder in worker.include:
        plugins.include(folder)
    import voxbench.pretrain.engine
    import voxbench.running.cell  # noqa: F401 (what takes seconds, before the first job begins)
    from voxbench.fit.together import lent

    with stopping.on_signals(), suppress(EOFError, OSError):
        while True:
            job, cards = pipe.recv()
            pipe.send(Stage("beginning", 0, 1))
            with heard_by(Reporter(pipe.send)), lent(cards):
                outcome = perform(job, worker)
            pipe.send(WorkerAnswer(outcome.record, outcome.failure, outcome.kind))
