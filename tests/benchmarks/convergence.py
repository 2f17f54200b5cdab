"""The validation curve of scratch with all labels, by 32 windows and by all, and the rule's word.

    python -m tests.benchmarks.convergence heart 600
    python -m tests.benchmarks.convergence hippocampus 500
    python -m tests.benchmarks.convergence phantom 600

The heart is MS-CMRSeg as in results/sweeps/cardiac.toml, the hippocampus as in
real-small.toml; both need $VOXBENCH_DATA. Seconds are of the processor.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import voxbench
from torch import nn
from voxbench.data.cell_data import CellData
from voxbench.design.recipe import Recipe
from voxbench.fit import segmenter, validation
from voxbench.fit.validation import window_dice
from voxbench.predict.case import mean_dice
from voxbench.records.convergence import convergence

HEART = {"name": "nnunet-folder", "root": "Dataset602_MSCMR", "title": "ms-cmrseg"}
TASKS: dict[str, tuple[Any, list[int]]] = {
    "heart": (HEART | {"patients": "case"}, [48, 48, 8]),
    "hippocampus": ("msd-hippocampus", [32, 32, 32]),
    "phantom": ("phantom-atlas", [32, 32, 32]),
}
_ALL = 1_000_000


class Looks:
    """What validation gives and takes, beside what all windows would."""

    def __init__(self) -> None:
        self.windows: list[float] = []
        self.all: list[float] = []
        self.seconds = 0.0

    def window_dice(
        self, network: nn.Module, data: CellData, recipe: Recipe, device: str
    ) -> Callable[[], float]:
        """In place of `validation.window_dice`; the training sees what it always sees."""
        few = window_dice(network, data, recipe, device)
        with mock.patch.object(validation, "WINDOWS", _ALL):
            every = window_dice(network, data, recipe, device)
        assert few is not None
        assert every is not None

        def look() -> float:
            started = time.process_time()
            self.windows.append(few())
            self.seconds += time.process_time() - started
            self.all.append(every())
            return self.windows[-1]

        return look


def main(name: str, steps: int) -> None:
    task, patch = TASKS[name]
    sweep = {
        "name": "convergence",
        "tasks": [task],
        "fractions": [1.0],
        "seeds": 1,
        "baselines": [{"name": "scratch", "size": "tiny"}],
        "recipe": {
            "steps": steps, "patch": patch, "learning_rate": 0.005, "augmentation": "light",
        },
    }  # fmt: skip
    looks = Looks()
    with (
        TemporaryDirectory() as folder,
        mock.patch.object(segmenter, "window_dice", looks.window_dice),
    ):
        voxbench.run(sweep, Path(folder))
        [record] = voxbench.load_records(Path(folder))
    for step, few, every in zip(record.validation, looks.windows, looks.all, strict=True):
        print(f"{step:6d}  {few:.3f} by {validation.WINDOWS} windows  {every:.3f} by all")
    print(f"test: {mean_dice(record.cases):.3f} Dice; converged: {' '.join(convergence([record]))}")
    print(f"a look takes {looks.seconds / len(looks.all):.2f} s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
