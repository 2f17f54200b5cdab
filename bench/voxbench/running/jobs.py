"""Units of work that an engine hands out: weights, trials, cells, then what these predict."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from voxbench.data.external_test import ExternalTest
from voxbench.design.active import Active, Strategy
from voxbench.design.cell import Ref
from voxbench.design.tuning import Tuning
from voxbench.design.uncertainty import Uncertainty
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records import Record
from voxbench.records.trials import trial_key
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.faults import Kind


@dataclass(frozen=True)
class PretrainingJob:
    """Weights to make, which cells or other weights wait for.

    Attributes:
        plan: of the pre-training.
        arm: what tables call the arm that has them.
        needs: id of the job that makes the donor's weights, if there is one.
    """

    plan: PretrainingPlan
    arm: str
    needs: str | None = None

    @property
    def devices(self) -> int:
        """How many it is trained on."""
        return 1 if self.plan.donor else self.plan.schedule.devices

    @property
    def id(self) -> str:
        """The name of the weights."""
        return self.plan.identity

    def __str__(self) -> str:
        """For progress lines."""
        return f"pre-training {self.arm}"


@dataclass(frozen=True)
class CellJob:
    """A cell to run.

    Attributes:
        cell: with all that it stands for.
        again: it has a record, which is to be made anew.
    """

    cell: BoundCell
    again: bool = False

    @property
    def devices(self) -> int:
        """How many it is trained on."""
        return self.cell.trainings.cell.devices

    @property
    def id(self) -> str:
        """The cell's key."""
        return self.cell.key

    @property
    def needs(self) -> str | None:
        """The id of the pre-training that comes first."""
        return self.cell.trainings.needs

    def __str__(self) -> str:
        """For progress lines."""
        arm, fold = self.cell.arm, self.cell.trainings.cell.fold
        told = f"{arm.task} · {arm.baseline} · {arm.fraction} · draw {arm.draw} · seed {arm.seed}"
        return f"{told} · {fold}" if fold else told


@dataclass(frozen=True)
class ExternalJob:
    """A finished cell to score on an external test set.

    Attributes:
        cell: whose network it is.
        test: the set.
        again: it has a record, which is to be made anew.
    """

    cell: BoundCell
    test: ExternalTest
    again: bool = False

    @property
    def id(self) -> str:
        """The key of its record."""
        return self.test.key(self.cell.key)

    @property
    def needs(self) -> None:
        """Nothing: its network is there."""

    @property
    def devices(self) -> int:
        """On how many it predicts."""
        return 1

    def __str__(self) -> str:
        """For progress lines."""
        return f"{CellJob(self.cell)} · on {self.test.name}"


@dataclass(frozen=True)
class TrialJob:
    """A trial of a tuning to run; what it tries is asked for when it runs.

    Attributes:
        study: key of the study.
        number: of the trial.
        tuning: sampler, pruner and space.
        cell: whose values it changes.
    """

    study: str
    number: int
    tuning: Tuning
    cell: BoundCell

    @property
    def devices(self) -> int:
        """A trial is trained on one, whatever its cell is: the result is the same."""
        return 1

    @property
    def id(self) -> str:
        """The name of its record."""
        return trial_key(self.study, self.number)

    @property
    def needs(self) -> str | None:
        """The id of the pre-training that comes first."""
        return self.cell.trainings.needs

    def __str__(self) -> str:
        """For progress lines."""
        arm = self.cell.arm
        return f"{arm.task} · {arm.baseline} · {arm.fraction} · trial {self.number}"


@dataclass(frozen=True)
class UncertaintyJob:
    """Finished cells predict their cases again, by a prediction model; nothing is trained.

    Attributes:
        id: the name of its record.
        cells: whose kept weights are used; several only of a model that needs them.
        model: the prediction model.
        table: what is kept of each case.
    """

    id: str
    cells: tuple[BoundCell, ...]
    model: Ref
    table: Uncertainty
    devices: ClassVar[int] = 1
    needs: ClassVar[None] = None

    @property
    def tests(self) -> tuple[ExternalTest, ...]:
        """The external test sets of the task, where it is asked how they differ."""
        return self.cells[0].trainings.tests if self.table.needs_external else ()

    def __str__(self) -> str:
        """For progress lines."""
        arm = self.cells[0].arm
        seeds = "+".join(str(cell.seed) for cell in self.cells)
        where = f"{arm.task} · {arm.baseline} · {arm.fraction} · draw {arm.draw}"
        return f"{where} · seed {seeds} · {self.model.name}"


@dataclass(frozen=True)
class ActiveJob:
    """A round of active learning, from the network of the round before.

    Attributes:
        id: the name of its record, and of the weights that it keeps.
        cell: that the rounds start from.
        model: prediction model that scores the pool.
        table: budget and rounds.
        strategy: how cases are chosen.
        number: of the round, from 1.
        before: name of the weights that score the pool: the cell's, or those of the last round.
    """

    id: str
    cell: BoundCell
    model: Ref
    table: Active
    strategy: Strategy
    number: int
    before: str
    devices: ClassVar[int] = 1
    needs: ClassVar[None] = None

    def __str__(self) -> str:
        """For progress lines."""
        return f"{CellJob(self.cell)} · {self.strategy} · round {self.number}"


Job = PretrainingJob | CellJob | ExternalJob | TrialJob | UncertaintyJob | ActiveJob


@dataclass(frozen=True)
class JobOutcome:
    """What became of a job.

    Attributes:
        record: of a cell, or of one on an external test set.
        failure: why it failed, if it did.
        kind: whose fault that is.
    """

    job: Job
    record: Record | None
    failure: str | None = None
    kind: Kind = "science"


def jobs_for(
    cells: Iterable[BoundCell],
    trials: Sequence[TrialJob] = (),
    again: Collection[str] = (),
    seconds: Mapping[str, float] = MappingProxyType({}),
) -> list[Job]:
    """The pre-trainings that cells and trials need, each once and first, then trials, then cells.

    One draw and seed of all arms comes before the next, and behind each cell its scratch twin, so
    that a sweep that is stopped has compared something. Within a draw and seed what takes longest
    comes first, so that no worker has it alone at the end.

    Args:
        cells: that are to run.
        trials: that are to run.
        again: keys of cells that have a record, which is to be made anew.
        seconds: key → what the cell may take; what is not known may be long.
    """
    turn = _in_turn(cells, seconds)
    needed = pretrainings(cell.trainings for cell in (*turn, *(trial.cell for trial in trials)))
    return [*needed, *trials, *(CellJob(cell, cell.key in again) for cell in turn)]


def pretrainings(needed_by: Iterable[Trainings]) -> list[PretrainingJob]:
    """Those that trainings need, each once.

    Weights that are made from a donor's wait for the donor, if it is among them.
    """
    found: dict[str, PretrainingJob] = {}
    for one in dict.fromkeys(needed_by):
        if isinstance(plan := one.weights, PretrainingPlan):
            donor = plan.donor.identity if plan.donor else None
            found.setdefault(plan.identity, PretrainingJob(plan, one.arm.baseline, donor))
    made = [job if job.needs in found else replace(job, needs=None) for job in found.values()]
    return sorted(made, key=lambda job: job.needs is not None)


def _in_turn(cells: Iterable[BoundCell], seconds: Mapping[str, float]) -> list[BoundCell]:
    def place(cell: BoundCell) -> tuple[int, int, int, float]:
        fold = cell.trainings.arm.fold or 0
        return cell.draw, cell.seed, fold, -seconds.get(cell.key, math.inf)

    ordered = sorted(cells, key=place)
    named = {_names(cell, cell.arm.baseline): cell for cell in ordered}
    turn: dict[str, BoundCell] = {}
    for cell in ordered:
        turn.setdefault(cell.key, cell)
        twin = named.get(_names(cell, cell.arm.twin))
        if twin:
            turn.setdefault(twin.key, twin)
    return list(turn.values())


def _names(cell: BoundCell, baseline: str | None) -> tuple[object, ...]:
    """Of a cell that another baseline has beside an arm's."""
    arm, steps = cell.arm, cell.trainings.cell.recipe.steps
    return steps, arm.task, arm.fraction, arm.draw, arm.seed, arm.fold, arm.adaptation, baseline
