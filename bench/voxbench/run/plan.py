"""What a sweep still has to do: every cell with its state and what it may cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import ValidationError

from voxbench.data.split import freeze_split
from voxbench.design.recipe import Recipe
from voxbench.pretrain.plan import seconds_made
from voxbench.records import Facts, Store
from voxbench.records.record import Arm
from voxbench.run.bind import BoundCell
from voxbench.run.jobs import PretrainingJob, jobs_for

State = Literal["cached", "missing", "failed", "skipped"]


@dataclass(frozen=True)
class Planned:
    """A cell of the plan.

    Attributes:
        cell: with all that it stands for.
        state: cached (a record says ok), failed (a record says why), missing, or skipped.
        reason: of a skip or a failure, or why a missing cell will fail.
        seconds: median of finished cells of the same network and recipe, or an estimate; None if
            there is neither.
    """

    cell: BoundCell
    state: State
    reason: str | None = None
    seconds: float | None = None

    @property
    def key(self) -> str:
        """Of its record; empty if it is skipped."""
        return self.cell.key

    @property
    def arm(self) -> Arm:
        """The names that tables group it by."""
        return self.cell.arm


@dataclass(frozen=True)
class PlannedWeights:
    """Weights that the missing cells of a plan need, to be made here.

    Attributes:
        job: that makes them.
        made: whether they are there.
        seconds: that making them took, or may take; None if that is unknown.
        reason: why they can't be made.
    """

    job: PretrainingJob
    made: bool
    seconds: float | None = None
    reason: str | None = None


def with_costs(cells: Sequence[Planned]) -> tuple[list[Planned], list[PlannedWeights]]:
    """A plan whose missing cells of an unknown kind are estimated, and the weights they need.

    What nothing was run of is measured, for two seconds; a network that can't be built is told.
    """
    missing = [one.cell for one in cells if one.state == "missing"]
    jobs = jobs_for(missing)
    known = {one.key for one in cells if one.seconds is not None}
    weights = {job.id: seconds_made(job.id) for job in jobs if isinstance(job, PretrainingJob)}
    unknown = [job for job in jobs if job.id not in known and weights.get(job.id) is None]
    found: Mapping[str, float | str] = {}
    if unknown:
        from voxbench.run.estimate import estimate

        found = estimate(unknown)
    return (
        [_estimated(one, found.get(one.key)) if one.state == "missing" else one for one in cells],
        [
            _weights(job, weights[job.id], found.get(job.id))
            for job in jobs
            if isinstance(job, PretrainingJob)
        ],
    )


def _estimated(one: Planned, found: float | str | None) -> Planned:
    if isinstance(found, str):
        return replace(one, reason=found)
    return replace(one, seconds=one.seconds if found is None else found)


def _weights(job: PretrainingJob, made: float | None, found: float | str | None) -> PlannedWeights:
    if isinstance(found, str):
        return PlannedWeights(job, made=False, reason=found)
    return PlannedWeights(job, made is not None, found if made is None else made)


def plan_cells(cells: Sequence[BoundCell], root: Path) -> list[Planned]:
    """Look every cell up among the records of an output folder.

    The split of each task is frozen in the folder when it is first planned.

    Raises:
        DataError: a task's split is not the frozen one.
        RecordError: a stored record is damaged.
    """
    for name, dataset in {cell.arm.task: cell.dataset for cell in cells}.items():
        freeze_split(dataset.split, root / "splits" / f"{name}.json")
    records = {record.key: record for record in Store(root).scored()}
    seconds = _seconds(records.values())
    return [_planned(cell, records.get(cell.key), seconds) for cell in cells]


def _planned(cell: BoundCell, record: Facts | None, seconds: Mapping[str, float]) -> Planned:
    if cell.reason is not None:
        return Planned(cell, "skipped", cell.reason)
    expected = seconds.get(_kind(cell.arm, cell.cell.recipe))
    if record is None:
        return Planned(cell, "missing", None, expected)
    if record.status == "failed":
        return Planned(cell, "failed", record.failure, expected)
    return Planned(cell, "cached", None, record.cost.seconds if record.cost else None)


def _seconds(records: Iterable[Facts]) -> dict[str, float]:
    """Median seconds of the finished cells by task, network and recipe."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.status == "ok" and record.cost:
            with suppress(ValidationError):  # a recipe of another version is of another kind
                recipe = Recipe.model_validate(record.cell["recipe"])
                found[_kind(record.arm, recipe)].append(record.cost.seconds)
    return {kind: median(values) for kind, values in found.items()}


def _kind(arm: Arm, recipe: Recipe) -> str:
    return f"{arm.task} {arm.network} {recipe.model_dump_json()}"
