"""Rounds of active learning of a sweep's cells, by the table `[active]`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from voxbench.design.active import Active
from voxbench.design.cell import Ref, digest
from voxbench.design.spec import Sweep
from voxbench.errors import PluginError, SpecError
from voxbench.metrics import METRICS_VERSION
from voxbench.records import Store
from voxbench.records.active import ActiveRecords
from voxbench.records.kept import weights_path
from voxbench.running.bound import BoundCell
from voxbench.running.jobs import ActiveJob, CellJob, Job

_VERSION = 1  # of what a record says


@dataclass(frozen=True)
class ActivePlan:
    """The rounds that a sweep asks of its cells, and how far they are in an output folder.

    Attributes:
        root: the output folder.
        all: of the sweep, each behind the round before it; none without `[active]`.
    """

    root: Path
    all: tuple[ActiveJob, ...]

    @classmethod
    def of(cls, sweep: Sweep, cells: Sequence[BoundCell], root: Path) -> "ActivePlan":
        """Those of the cells that are trained, can be run, and leave cases to choose from.

        Raises:
            SpecError, PluginError: the prediction model is unknown or can't predict with them.
        """
        return cls(root, tuple(_jobs(sweep.active, cells)) if sweep.active else ())

    def ready(self) -> list[ActiveJob]:
        """Those that can be done now."""
        return [job for job in self.all if self.is_ready(job)]

    def after(self, job: Job) -> list[ActiveJob]:
        """Those that can be done now that a job is over: its network was what they waited for."""
        if not isinstance(job, CellJob | ActiveJob):
            return []
        return [one for one in self._behind.get(job.id, ()) if self.is_ready(one)]

    def is_done(self, job: ActiveJob) -> bool:
        """Whether its record is there."""
        return job.id in ActiveRecords(self.root)

    def is_ready(self, job: ActiveJob) -> bool:
        """Whether it is to be done, and the network that scores its pool is there."""
        return (
            not self.is_done(job)
            and self._is_over(job)
            and weights_path(self.root, job.before).exists()
        )

    @property
    def untrained(self) -> set[str]:
        """Keys of finished cells whose weights were not kept: they have to be trained again."""
        return {
            job.before
            for job in self.all
            if job.number == 1
            and not self.is_done(job)
            and self._is_over(job)
            and not weights_path(self.root, job.before).exists()
        }

    def _is_over(self, job: ActiveJob) -> bool:
        """Whether what it starts from is finished."""
        if job.number > 1:
            return job.before in ActiveRecords(self.root)
        return Store(self.root).has_finished(job.before)

    @cached_property
    def _behind(self) -> dict[str, list[ActiveJob]]:
        found: dict[str, list[ActiveJob]] = {}
        for job in self.all:
            found.setdefault(job.before, []).append(job)
        return found


def _jobs(table: Active, cells: Sequence[BoundCell]) -> Iterator[ActiveJob]:
    model = _model(table)
    for cell in cells:
        if not cell.key or not cell.cell.is_trained or not _leaves_cases(cell):
            continue
        if cell.cell.devices > 1:
            raise SpecError("active: a round is trained on one device; set recipe.devices = 1.")
        for strategy in table.strategies:
            before = cell.key
            for number in range(1, table.rounds + 1):
                job = ActiveJob("", cell, model, table, strategy, number, before)
                unit = ("slices",) if table.in_slices else ()
                told = strategy.model_dump(), table.budget, *unit, number, METRICS_VERSION, _VERSION
                scorer = model.to_json() if strategy.measure else None
                before = digest(["active", cell.key, scorer, *told])[:20]
                yield replace(job, id=before)


def _leaves_cases(cell: BoundCell) -> bool:
    patients = len({case.patient for case in cell.trainings.dataset.split.train})
    return cell.cell.fraction.count(patients) < patients


def _model(table: Active) -> Ref:
    from voxbench.predict.members import MODELS

    try:
        model = MODELS.complete(table.model.ref)
        made = MODELS.make(model)
    except PluginError as error:
        raise PluginError(f"active.model: {error}") from None
    if made.ensembles:
        raise SpecError(f"active.model: {model.name} needs several networks, a round has one.")
    return model
