"""Who runs jobs, with what, and where the results go."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from voxbench.errors import in_words


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
    """

    root: Path
    sweep: str
    device: str = "cpu"
    threads: int = 1
    include: tuple[Path, ...] = ()
    trust: tuple[Path, ...] = ()
    predictions: bool = False


def why_failed(error: Exception) -> str:
    """A mistake, or what the machine lacks, in words; a defect with the end of its traceback."""
    return in_words(error) or "".join(traceback.format_exception(error, limit=-8))
