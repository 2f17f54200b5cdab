"""What cells of a sweep predict again once they are finished, by the models of `[uncertainty]`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from voxbench.design.cell import Ref, digest
from voxbench.design.spec import Sweep
from voxbench.design.uncertainty import Uncertainty
from voxbench.errors import PluginError, SpecError
from voxbench.metrics import METRICS_VERSION
from voxbench.records import Store
from voxbench.records.kept import weights_path
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.jobs import CellJob, Job, UncertaintyJob

_VERSION = 2  # of what a record says

State = Literal["predicted", "to predict", "cells first", "trained again first"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class UncertaintyPlan:
    """The predictions that a sweep asks of its cells, and how far they are in an output folder.

    Attributes:
        root: the output folder.
        all: of the sweep; none without `[uncertainty]`.
    """

    root: Path
    all: tuple[UncertaintyJob, ...]

    @classmethod
    def of(cls, sweep: Sweep, cells: Sequence[BoundCell], root: Path) -> "UncertaintyPlan":
        """Those of the cells that are trained and can be run.

        Raises:
            SpecError, PluginError: a model is unknown or can't predict with these networks.
        """
        return cls(root, tuple(_jobs(sweep.uncertainty, cells)) if sweep.uncertainty else ())

    def state(self, job: UncertaintyJob) -> State:
        """Whether it is done, can be, or waits for its cells or their weights."""
        if job.id in UncertaintyRecords(self.root):
            return "predicted"
        if not all(map(self._is_finished, job.cells)):
            return "cells first"
        kept = (weights_path(self.root, cell.key).exists() for cell in job.cells)
        return "to predict" if all(kept) else "trained again first"

    @property
    def untrained(self) -> set[str]:
        """Keys of finished cells whose weights were not kept: they have to be trained again."""
        return {
            cell.key
            for job in self.all
            if self.state(job) in ("cells first", "trained again first")
            for cell in job.cells
            if self._is_finished(cell) and not weights_path(self.root, cell.key).exists()
        }

    def ready(self) -> list[UncertaintyJob]:
        """Those that can be done now."""
        return [job for job in self.all if self.state(job) == "to predict"]

    def after(self, job: Job) -> list[UncertaintyJob]:
        """Those that can be done now that a job is over: its cell was the last they waited for."""
        if not isinstance(job, CellJob):
            return []
        return [one for one in self._of_cell[job.id] if self.state(one) == "to predict"]

    @cached_property
    def _of_cell(self) -> dict[str, list[UncertaintyJob]]:
        found: dict[str, list[UncertaintyJob]] = defaultdict(list)
        for job in self.all:
            for cell in job.cells:
                found[cell.key].append(job)
        return found

    def _is_finished(self, cell: BoundCell) -> bool:
        return Store(self.root).has_finished(cell.key)


def _jobs(table: Uncertainty, cells: Sequence[BoundCell]) -> Iterator[UncertaintyJob]:
    from voxbench.predict.members import MODELS

    usable = [cell for cell in cells if cell.key and cell.trainings.cell.is_trained]
    trainings = dict.fromkeys(cell.trainings for cell in usable)
    _require_whole_labels(trainings)
    for entry in table.models:
        try:
            model = MODELS.complete(entry.ref)
            made = MODELS.make(model)
        except PluginError as error:
            raise PluginError(f"uncertainty.models: {error}") from None
        if made.stochastic:
            _require_stochastic(model.name, made.stochastic, trainings)
        for own in _seeds(model.name, usable) if made.ensembles else ((cell,) for cell in usable):
            yield _job(own, model, table)


def _job(cells: tuple[BoundCell, ...], model: Ref, table: Uncertainty) -> UncertaintyJob:
    job = UncertaintyJob("", cells, model, table)
    keys = [cell.key for cell in cells]
    sets = [test.key(keys[0]) for test in job.tests]
    key = [_VERSION, METRICS_VERSION, keys, model.to_json(), table.asked, sets]
    return replace(job, id=digest(key)[:20])


def _seeds(model: str, cells: Sequence[BoundCell]) -> list[tuple[BoundCell, ...]]:
    """The seeds of each draw of a training together."""
    groups: dict[tuple[Trainings, int], list[BoundCell]] = defaultdict(list)
    for cell in cells:
        groups[cell.trainings, cell.draw].append(cell)
    found = [tuple(sorted(own, key=lambda cell: cell.seed)) for own in groups.values()]
    if any(len(own) < 2 for own in found):
        raise SpecError(f"uncertainty.models: {model} needs seeds, at least 2 of them, got 1.")
    return found


def _require_stochastic(model: str, needed: str, trainings: dict[Trainings, None]) -> None:
    for one in trainings:
        if (given := one.cell.recipe.stochastic) != needed:
            raise SpecError(
                f'uncertainty.models: {model} needs recipe.stochastic = "{needed}"; '
                f"{one.arm.task} is trained with {given or 'none'}."
            )


def _require_whole_labels(trainings: dict[Trainings, None]) -> None:
    """Refuse cases that lack the annotation of a class: nobody knows whether voxels are right."""
    splits = {one.dataset.identity: one.dataset.split for one in trainings}
    for split in splits.values():
        for case in (*split.validation, *split.test):
            if case.labelled is not None:
                raise SpecError(
                    f"uncertainty: case {case.id} is annotated for {', '.join(case.labelled)} "
                    "alone; calibration needs cases in which every class is."
                )
