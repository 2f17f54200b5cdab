"""The engine of long-lived worker processes, each bound to its device.

Importing torch, Lightning and MONAI costs more than a small cell, so a worker runs many. A
worker that dies costs the one cell it held, and is replaced.
"""

import os
import signal
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from voxbench.run.engines import Event, JobStart
from voxbench.run.jobs import Job, JobOutcome, give_up, perform
from voxbench.run.queue import Queue
from voxbench.run.worker import Worker


@dataclass
class _Process:
    """A worker's process, the pipe to it, and the job it holds."""

    worker: Worker
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


def run_in_pool(queue: Queue, workers: Sequence[Worker]) -> Generator[Event, None, None]:
    """See `Engine`; each worker is a process of its own, of which no more are started than jobs."""
    processes = [_start(worker) for worker in workers[: max(1, len(queue.waiting))]]
    try:
        while not queue.over:
            for i, process in enumerate(processes):
                if process.job is None:
                    yield from _feed(processes, i, queue)
            busy = [process for process in processes if process.job]
            ready = wait([p.pipe for p in busy] + [p.process.sentinel for p in busy])
            for process in busy:
                if process.pipe in ready or process.process.sentinel in ready:
                    outcome = _collect(process)
                    queue.note(outcome)
                    yield outcome
    finally:
        for process in processes:
            _stop(process)


def _feed(processes: list[_Process], i: int, queue: Queue) -> Generator[Event, None, None]:
    """Give a free process its next job, after replacing it if it died."""
    while job := queue.take():
        if reason := queue.doomed(job):
            outcome = give_up(job, reason, processes[i].worker)
            queue.note(outcome)
            yield outcome
            continue
        if not processes[i].process.is_alive():
            _stop(processes[i])
            processes[i] = _start(processes[i].worker)
        processes[i].job = job
        yield JobStart(job)
        processes[i].pipe.send(job)
        return


def _collect(process: _Process) -> JobOutcome:
    job, process.job = process.job, None
    if job is None:
        raise RuntimeError("a worker without a job answered")
    try:
        record, failure = process.pipe.recv()
    except (EOFError, OSError):
        process.process.join(5)
        code = process.process.exitcode
        cause = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        hint = " (out of memory?)" if code == -9 else ""
        return give_up(job, f"its worker process died with {cause}{hint}", process.worker)
    return JobOutcome(job, record, failure)


def _start(worker: Worker) -> _Process:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, worker), daemon=True)
    process.start()
    theirs.close()
    return _Process(worker, process, ours)


def _stop(process: _Process) -> None:
    process.pipe.close()
    process.process.terminate()
    process.process.join(10)
    if process.process.is_alive():
        process.process.kill()


def _serve(pipe: Connection, worker: Worker) -> None:
    """A worker's life: bind to the device, then job after job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    if worker.device.startswith("cuda:"):
        index = int(worker.device.removeprefix("cuda:"))
        given = os.environ.get("CUDA_VISIBLE_DEVICES")  # what this process may use at all
        os.environ["CUDA_VISIBLE_DEVICES"] = given.split(",")[index] if given else str(index)
        worker = replace(worker, device="cuda:0")
    os.environ["OMP_NUM_THREADS"] = str(worker.threads)
    from voxbench import plugins

    for folder in worker.include:
        plugins.include(folder)
    try:
        while True:
            outcome = perform(pipe.recv(), worker)
            pipe.send((outcome.record, outcome.failure))
    except (EOFError, OSError):
        return


def _die_with(parent: int) -> None:
    """End this process soon after its parent was killed, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
