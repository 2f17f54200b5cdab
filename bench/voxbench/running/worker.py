"""Who runs jobs, with what, and where the results go."""

import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Worker:
    """A process bound to its device.

    Attributes:
        root: the output folder.
        sweep: its name.
        device: "cpu" or "cuda:N".
        threads: of the processor.
        include: folders of loose plugins, for a process of its own.
        trust: resolved paths of weights files that may run code while they are read.
        predictions: keep the label maps of the test cases.
        weights: keep the weights of trained networks.
        time_limit_s: after which a job fails, in a process of its own.
    """

    root: Path
    sweep: str
    device: str = "cpu"
    threads: int = 1
    include: tuple[Path, ...] = ()
    trust: tuple[Path, ...] = ()
    predictions: bool = False
    weights: bool = False
    time_limit_s: float | None = None

    def alone(self) -> "Worker":
        """The same in a process of its own, see `environment`."""
        return replace(self, device="cuda:0") if self.device.startswith("cuda:") else self

    @property
    def environment(self) -> dict[str, str]:
        """Of a process of its own, which sees its device alone and calls it the first."""
        found = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        if self.device.startswith("cuda:"):
            found["CUDA_VISIBLE_DEVICES"] = card_number(self.device)
        return found


def card_number(device: str) -> str:
    """The name that the driver has for "cuda:N", among the GPUs that this process may use."""
    index = device.removeprefix("cuda:")
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",")[int(index)] if given else index
