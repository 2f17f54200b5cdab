"""The engine of long-lived worker processes, each bound to its device.

Importing torch, Lightning and MONAI costs more than a small cell, so a worker runs many. A
worker that dies costs the one cell it held, and is replaced.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from voxbench.run.jobs import Job, Outcome, Place, lost, raise_file_limit, work


@dataclass
class _Worker:
    """A process, the pipe to it, and the job it holds."""

    device: str
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


@dataclass
class _Queue:
    """Jobs that wait, in order; a cell is ready once its pre-training is done."""

    waiting: list[Job]
    made: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def pop(self) -> Job | None:
        """The first job that can run now, or whose weights have failed."""
        for i, job in enumerate(self.waiting):
            if job.needs is None or job.needs in self.made or job.needs in self.failed:
                return self.waiting.pop(i)
        return None

    def note(self, outcome: Outcome) -> None:
        """Remember a finished pre-training."""
        if outcome.job.pretraining and outcome.failure:
            self.failed[outcome.job.id] = outcome.failure
        elif outcome.job.pretraining:
            self.made.add(outcome.job.id)


def run(
    jobs: Sequence[Job],
    place: Place,
    devices: Sequence[str],
    include: Sequence[Path],
    started: Callable[[Job], None],
    finished: Callable[[Outcome], None],
    more: Callable[[], Sequence[Job]] = list,
) -> None:
    """Run the jobs on one worker a device; `devices` may name "cpu" several times.

    Once all are done `more` is asked for further ones, until it has none.
    """
    queue = _Queue(list(jobs))
    workers = [_start(place, device, include) for device in devices[: max(1, len(jobs))]]
    try:
        while True:
            for i, worker in enumerate(workers):
                if worker.job is None:
                    workers[i] = _feed(worker, queue, place, include, started, finished)
            busy = [worker for worker in workers if worker.job]
            if not busy:
                queue.waiting = list(more())
                if not queue.waiting:
                    return
                continue
            ready = wait([w.pipe for w in busy] + [w.process.sentinel for w in busy])
            for worker in busy:
                if worker.pipe in ready or worker.process.sentinel in ready:
                    outcome = _collect(worker, place)
                    queue.note(outcome)
                    finished(outcome)
    finally:
        for worker in workers:
            _stop(worker)


def _feed(
    worker: _Worker,
    queue: _Queue,
    place: Place,
    include: Sequence[Path],
    started: Callable[[Job], None],
    finished: Callable[[Outcome], None],
) -> _Worker:
    """Give a free worker its next job, after replacing it if it died."""
    while job := queue.pop():
        if job.needs in queue.failed:
            outcome = lost(job, queue.failed[job.needs], place)
            queue.note(outcome)
            finished(outcome)
            continue
        if not worker.process.is_alive():
            _stop(worker)
            worker = _start(place, worker.device, include)
        worker.job = job
        started(job)
        worker.pipe.send(job)
        break
    return worker


def _collect(worker: _Worker, place: Place) -> Outcome:
    job, worker.job = worker.job, None
    if job is None:
        raise RuntimeError("a worker without a job answered")
    try:
        outcome: Outcome = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(5)
        code = worker.process.exitcode
        cause = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        hint = " (out of memory?)" if code == -9 else ""
        return lost(job, f"its worker process died with {cause}{hint}", place)
    return outcome


def _start(place: Place, device: str, include: Sequence[Path]) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve, args=(theirs, replace(place, device=device), list(include)), daemon=True
    )
    process.start()
    theirs.close()
    return _Worker(device, process, ours)


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.terminate()
    worker.process.join(10)
    if worker.process.is_alive():
        worker.process.kill()


def _serve(pipe: Connection, place: Place, include: Sequence[Path]) -> None:
    """A worker's life: bind to the device, then job after job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    if place.device.startswith("cuda:"):
        index = int(place.device.removeprefix("cuda:"))
        given = os.environ.get("CUDA_VISIBLE_DEVICES")  # what this process may use at all
        os.environ["CUDA_VISIBLE_DEVICES"] = given.split(",")[index] if given else str(index)
        place = replace(place, device="cuda:0")
    os.environ["OMP_NUM_THREADS"] = str(place.threads)
    from voxbench import plugins

    raise_file_limit()
    for folder in include:
        plugins.include(folder)
    try:
        while True:
            pipe.send(work(pipe.recv(), place))
    except (EOFError, OSError):
        return


def _die_with(parent: int) -> None:
    """End this process soon after its parent was killed, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
