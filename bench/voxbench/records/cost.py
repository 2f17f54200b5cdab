"""What a cell took, and how that is counted: GPU hours where there is a GPU, else core hours."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Cost(BaseModel):
    """What the cell itself took.

    Attributes:
        seconds: of wall clock, all of the cell.
        fit_seconds: of the optimiser steps.
        predict_seconds: of inference and scoring.
        steps: optimiser steps taken.
        peak_memory_mb: of the accelerator, else of the process; of several, of the first.
        parameters: of the network.
        gpu_hours: seconds on an accelerator, times their number.
        cpu_hours: seconds times threads where there was none.
    """

    model_config = ConfigDict(extra="forbid")

    seconds: float
    fit_seconds: float
    predict_seconds: float
    steps: int
    peak_memory_mb: float
    parameters: int
    gpu_hours: float
    cpu_hours: float


class ComputeHours(NamedTuple):
    """Hours of computing: of an accelerator, or of CPU cores where there was none."""

    gpu_hours: float
    cpu_hours: float


def compute_hours(seconds: float, device: str, threads: int, devices: int = 1) -> ComputeHours:
    """What so many seconds count for.

    Args:
        seconds: of wall clock.
        device: "cpu" or "cuda:N".
        threads: of the processor, on which several devices share them.
        devices: that were taken for that long.
    """
    hours = seconds / 3600
    gpu = device.startswith("cuda")
    return ComputeHours(hours * devices, 0.0) if gpu else ComputeHours(0.0, hours * threads)
