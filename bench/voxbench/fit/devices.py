"""The devices of this machine, and what a training took of them."""

import resource

import torch

from voxbench.records.environment import cpus


def worker_devices(count: int | None) -> list[str]:
    """One entry a worker: the GPUs in turn, or the processor.

    Args:
        count: of workers; None takes one a GPU, else one a core.
    """
    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if gpus:
        return [gpus[i % len(gpus)] for i in range(count or len(gpus))]
    return ["cpu"] * (count or cpus())


def peak_memory_mb(device: str) -> float:
    """The most that was used so far: of the accelerator, else of the process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
