"""Cells with all that they stand for here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from voxbench.api import Baseline
from voxbench.data.dataset import Dataset
from voxbench.data.external_test import ExternalTest
from voxbench.data.voxel_size import kernel_spacing
from voxbench.design.cell import Cell
from voxbench.design.kernels import Spacing
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.tuning import Tuned, Value
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records.cost import TuningCost
from voxbench.records.provenance import Contamination
from voxbench.records.record import Arm
from voxbench.running.task_arm import InitialWeights


@dataclass(frozen=True)
class Trainings:
    """What all trainings of an arm at one fraction of a task share, whatever their draw and seed.

    Attributes:
        cell: that of draw and seed 0.
        arm: its names.
        dataset: the task's, with its cases.
        preprocessing: grid and intensity of its images.
        baseline: the plugin of its arm.
        kernel_spacing: voxel size that decides the network's kernels; None where they are cubes.
        weights: the file they are in, or how they are made here; None for scratch.
        contamination: whether they have seen the test cases; None where it can't be run.
        reason: why it can't be run, if it can't.
        planned: what of its recipe was planned, and from what; "" where nothing was.
        tuning: what choosing its values took; None where the sweep's are taken.
        tests: external test sets, which its networks are scored on besides.
    """

    cell: Cell
    arm: Arm
    dataset: Dataset
    preprocessing: Preprocessing
    baseline: Baseline
    kernel_spacing: Spacing | None = None
    weights: InitialWeights = None
    contamination: Contamination | None = None
    reason: str | None = None
    planned: str = ""
    tuning: TuningCost | None = None
    tests: tuple[ExternalTest, ...] = ()

    @property
    def needs(self) -> str | None:
        """The name of weights that are made here, which come first."""
        return self.weights.identity if isinstance(self.weights, PretrainingPlan) else None

    def with_values(self, values: Mapping[str, Value], tuned: Tuned | None = None) -> "Trainings":
        """The same with the values of a trial, see `Cell.with_values`.

        Raises:
            DataError: the header of an image can't be read.
        """
        cell = self.cell.with_values(values, tuned)
        spacing = kernel_spacing(self.dataset, self.preprocessing, cell.recipe)
        return replace(self, cell=cell, kernel_spacing=spacing)

    def __hash__(self) -> int:
        """By its names, once: it is asked for with every draw and seed."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        arm = self.arm
        names = arm.task, arm.baseline, arm.fraction, arm.adaptation, arm.fold
        return hash((*names, self.cell.recipe.steps))


@dataclass(frozen=True, slots=True)
class BoundCell:
    """A cell with all that running it takes; nothing of it is ever looked up again.

    Attributes:
        trainings: what it shares with other draws and seeds.
        draw: which training cases.
        seed: of its training.
        key: of its record; empty where it can't be run.
    """

    trainings: Trainings
    draw: int
    seed: int
    key: str

    @property
    def cell(self) -> Cell:
        """What is trained on what."""
        return self.trainings.cell.model_copy(update={"draw": self.draw, "seed": self.seed})

    @property
    def arm(self) -> Arm:
        """The names that tables group it by."""
        return self.trainings.arm.model_copy(update={"draw": self.draw, "seed": self.seed})
