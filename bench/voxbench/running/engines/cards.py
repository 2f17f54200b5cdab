"""Which of a machine's GPUs a job is given: its worker's, and others for as long as it runs."""

from collections.abc import Iterable, Sequence

from voxbench.running.engines.process import WorkerProcess
from voxbench.running.jobs import Job
from voxbench.running.worker import Worker


def devices_for(
    job: Job, worker: Worker, machine: Sequence[str], processes: Iterable[WorkerProcess]
) -> list[str] | None:
    """The devices of a job, its worker's first; None while too few others are free.

    A job that wants more than there are is given its worker's alone, and says so.

    Args:
        job: that is to begin.
        worker: that has it.
        machine: all GPUs.
        processes: of the pool.
    """
    others = job.devices - 1
    if worker.device == "cpu" or not 0 < others < len(machine):
        return [worker.device]
    taken = {worker.device, *(one for process in processes for one in process.devices)}
    free = [device for device in machine if device not in taken]
    return [worker.device, *free[:others]] if len(free) >= others else None


def is_lent(device: str, processes: Iterable[WorkerProcess]) -> bool:
    """Whether a device was given to a job of another worker."""
    return any(device in process.devices[1:] for process in processes)
