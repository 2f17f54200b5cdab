"""What a cell took, and how that is counted: GPU hours where there is a GPU, else core hours."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from voxbench.records.part import RecordPart


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


class TuningCost(RecordPart):
    """How the values were chosen that a cell was trained with, and what that cost.

    Attributes:
        study: key of the study.
        trials: of its budget, which is the same for the arm and its twin.
        pruned: of them, stopped early.
        failed: of them, that diverged.
        sampler: tpe, random or grid.
        pruner: none, median or hyperband.
        score: mean validation Dice of the chosen trial.
        validation: sha256 over the cases that trials were trained on and judged by.
        patients: that they were judged by.
        gpu_hours: of all trials, pruned ones with what they took.
        cpu_hours: the same, seconds times threads, where there was no accelerator.
    """

    study: str
    trials: int
    pruned: int
    failed: int
    sampler: str
    pruner: str
    score: float
    validation: str
    patients: int
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
