"""What a sweep still has to do: every cell with its state and what it may cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import ValidationError

from voxbench.data.split import freeze_split
from voxbench.design.recipe import Recipe
from voxbench.records import Facts, Store
from voxbench.records.record import Arm
from voxbench.run.bind import BoundCell

State = Literal["cached", "missing", "failed", "skipped"]


@dataclass(frozen=True)
class Planned:
    """A cell of the plan.

    Attributes:
        cell: with all that it stands for.
        state: cached (a record says ok), failed (a record says why), missing, or skipped.
        reason: of a skip or a failure.
        seconds: median of finished cells of the same network and recipe; None if there is none.
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
