"""The engine of one machine: long-lived worker processes, each bound to its device.

Importing torch, Lightning and MONAI costs more than a small cell, so a worker runs many. A
worker that dies or hangs costs the one cell it held, and is replaced. When this process is asked to
stop, so are the workers; one that has not stored where it is in time is ended without.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait

from voxbench import stopping
from voxbench.child import how_died
from voxbench.cores import available_cores, threads_each
from voxbench.errors import is_of_device
from voxbench.progress import Stage
from voxbench.running.engines import Engine, Event, Hear, JobStart, conclude, next_job
from voxbench.running.engines.cards import devices_for, is_lent
from voxbench.running.engines.inline import run_inline
from voxbench.running.engines.process import WorkerProcess
from voxbench.running.faults import Kind
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.options import Run
from voxbench.running.perform import failed
from voxbench.running.queue import Queue
from voxbench.running.worker import Worker

SILENCE_S = 3600.0
"""A job that has not been heard of for so long hangs."""
STOP_S = 8.0
"""Within which a worker that is asked to stop has stored where it is."""
_LOOK_S = 0.5  # at the clock, between two events


@dataclass(frozen=True)
class Pool(Engine):
    """This machine: as many workers as `--jobs` says, else one a GPU, else one a core."""

    def work(self, queue: Queue, run: Run, hear: Hear) -> Generator[Event, None, None]:
        """See `Engine`; a single worker that need not be isolated is this process."""
        with stopping.at_once():
            workers = workers_of(run)
        inline = len(workers) == 1 and not run.options.isolated
        return (run_inline if inline else run_in_pool)(queue, workers, hear)


def workers_of(run: Run) -> list[Worker]:
    """One worker a device, each with its share of the threads.

    Raises:
        SpecError: a device can't do the precision of the sweep's recipe.
    """
    from voxbench.design.precision import check_precision

    devices = _devices(run.options.jobs)
    for table in run.sweep.recipe.tables:
        check_precision(table, devices[0])
    threads = threads_each(len(devices))
    return [run.worker(device, threads) for device in devices]


def _devices(count: int | None) -> list[str]:
    """One entry a worker: the GPUs in turn, or the processor."""
    if gpus := _gpus():
        return [gpus[i % len(gpus)] for i in range(count or len(gpus))]
    return ["cpu"] * (count or available_cores())


@cache
def _gpus() -> list[str]:
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())]


def run_in_pool(
    queue: Queue, workers: Sequence[Worker], hear: Hear
) -> Generator[Event, None, None]:
    """Each worker is a process of its own, of which no more are started than jobs.

    A job that needs more GPUs than are free is held, and others behind it, until there are.
    """
    processes = [WorkerProcess(worker) for worker in workers[: max(1, len(queue.waiting))]]
    asked: float | None = None
    held: Job | None = None
    try:
        while not queue.over:
            for i, process in enumerate(processes):
                if process.job is None and not is_lent(process.worker.device, processes):
                    held = yield from _feed(processes, i, queue, held)
            if held and stopping.asked():
                queue.give_back(held)
                held = None
            busy = [process for process in processes if process.job]
            wait([p.pipe for p in busy] + [p.end for p in busy], _LOOK_S)
            if stopping.asked():
                asked = _stop(busy, asked)
            for process in busy:
                if outcome := _outcome(process, hear):
                    yield from conclude(queue, outcome, process.worker)
    finally:
        for process in processes:
            process.kill()
            process.close()


def _feed(
    processes: list[WorkerProcess], i: int, queue: Queue, held: Job | None
) -> Generator[Event, None, Job | None]:
    """Give a free process its next job, after replacing it if it died; what is held goes first.

    Returns:
        The job that has to be held.
    """
    while job := held or (yield from next_job(queue, processes[i].worker)):
        devices = devices_for(job, processes[i].worker, _gpus(), processes)
        if devices is None:
            return job
        held = None
        if processes[i].ended:
            processes[i].close()
            processes[i] = WorkerProcess(processes[i].worker)
        yield JobStart(job)
        try:
            processes[i].give(job, devices)
        except Exception as error:  # noqa: BLE001 (a plugin's field may be anything)
            reason = f"it can't be sent to a worker process: {error}"
            outcome = failed(job, reason, processes[i].worker)
            yield from conclude(queue, outcome, processes[i].worker)
            continue
        return None
    return None


def _stop(busy: Sequence[WorkerProcess], asked: float | None) -> float:
    """Ask the workers to store where they are, and end them if they take too long; when asked."""
    if asked is None:
        for process in busy:
            process.stop()
        return time.monotonic()
    if time.monotonic() - asked > STOP_S:
        for process in busy:
            process.kill()
    return asked


def _outcome(process: WorkerProcess, hear: Hear) -> JobOutcome | None:
    """What became of a process's job; None while it works."""
    job = process.job
    if job is None:
        return None
    ended = process.ended  # before its last words are read
    for said in process.received():
        if isinstance(said, Stage | str):
            hear(job, said)
        else:
            process.job = None
            if said.failure and (said.kind == "machine" or is_of_device(said.failure)):
                process.kill()  # what it holds, a device's context or memory, may be broken
            return JobOutcome(job, *said)
    outcome = _dead(process, job, ended) if ended else _hanging(process, job)
    if outcome:
        process.job = None
    return outcome


def _dead(process: WorkerProcess, job: Job, ended: str) -> JobOutcome:
    reason = f"its worker process {how_died(ended)}"
    kind: Kind = "machine" if ended.startswith("signal") or stopping.asked() else "science"
    return failed(job, reason, process.worker, kind)


def _hanging(process: WorkerProcess, job: Job) -> JobOutcome | None:
    now, limit = time.monotonic(), process.worker.time_limit_s
    if limit is not None and now - process.since > limit:
        reason = f"not done in {limit / 60:g} minutes (--time-limit)"
    elif now - process.heard > SILENCE_S:
        reason = f"no sign of life for {SILENCE_S / 60:g} minutes: it hangs"
    else:
        return None
    process.kill()
    return failed(job, f"{reason}; its worker process was ended", process.worker)
