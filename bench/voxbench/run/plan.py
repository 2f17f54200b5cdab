"""What a sweep still has to do: every cell with its key, its state and what it may cost."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from voxbench import metrics, pretrain
from voxbench.api import Case, Published
from voxbench.data import cache
from voxbench.data.content_hash import cases_hash
from voxbench.data.fraction import unfit
from voxbench.data.split import Split, freeze_split, split_cases
from voxbench.design.cell import Ref, digest
from voxbench.design.recipe import Recipe
from voxbench.errors import WeightsError
from voxbench.plugins import find_baseline, find_task
from voxbench.published.file import verified_file
from voxbench.records import SCHEMA, Record, Store
from voxbench.run.grid import Arranged

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": metrics.METRICS_VERSION,
    "prepared": cache.PREPARED_VERSION,
    "pretraining": pretrain.VERSION,
}
State = Literal["cached", "missing", "failed", "skipped"]


@dataclass(frozen=True)
class Planned:
    """A cell of the plan.

    Attributes:
        arranged: the cell and its names.
        key: of its record; empty if it is skipped.
        state: cached (a record says ok), failed (a record says why), missing, or skipped.
        reason: of a skip or a failure.
        seconds: median of finished cells of the same network and recipe; None if there is none.
    """

    arranged: Arranged
    key: str
    state: State
    reason: str | None = None
    seconds: float | None = None


def plan(arranged: Sequence[Arranged], store: Store) -> list[Planned]:
    """Look every cell up in the store.

    The split of each task is frozen in the output folder when it is first planned.

    Raises:
        DataError: a task's data are missing, or its split is not the frozen one.
        RecordError: a stored record is damaged.
    """
    records = {record.key: record for record in store}
    seconds = _seconds(records.values())
    return [_planned(item, records, seconds, store.root) for item in arranged]


def _planned(
    item: Arranged, records: dict[str, Record], seconds: dict[str, float], root: Path
) -> Planned:
    cell = item.cell
    split = frozen_split(cell.task, item.arm.task, root)
    reason = item.reason or unfit(split, cell.fraction)
    weights = None
    if reason is None:
        try:
            weights = _weights(cell.baseline)
        except WeightsError as error:
            reason = str(error)
    if reason is not None:
        return Planned(item, "", "skipped", reason)
    source = data_identity(cell.source) if cell.source else None
    key = cell.key(data_identity(cell.task), weights, source, VERSIONS)
    record = records.get(key)
    if record is None:
        return Planned(item, key, "missing", None, seconds.get(_kind(item)))
    if record.status == "failed":
        return Planned(item, key, "failed", record.failure, seconds.get(_kind(item)))
    return Planned(item, key, "cached", None, record.cost.seconds if record.cost else None)


@functools.cache
def frozen_split(task: Ref, name: str, root: Path) -> Split:
    """The split of a task, checked against the one frozen in the output folder."""
    split = split_cases(find_task(task))
    freeze_split(split, root / "splits" / f"{name}.json")
    return split


@functools.cache
def data_identity(task: Ref) -> str:
    """Hash of a task's files, its split, and all of its card that decides a result."""
    found = find_task(task)
    split = split_cases(found)
    card = found.card.model_dump(mode="json", exclude={"name", "licence", "reference", "corpora"})
    return digest([cases_hash(_all(split)), split.sha256, card])


def _all(split: Split) -> list[Case]:
    return [*split.train, *split.validation, *split.test]


@functools.cache
def _weights(ref: Ref) -> str | None:
    baseline = find_baseline(ref)
    return verified_file(baseline).sha256 if isinstance(baseline, Published) else None


def _kind(item: Arranged) -> str:
    return f"{item.arm.task} {item.arm.network} {item.cell.recipe.model_dump_json()}"


def _seconds(records: Iterable[Record]) -> dict[str, float]:
    """Median seconds of the finished cells by task, network and recipe."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.status == "ok" and record.cost:
            recipe = Recipe.model_validate(record.cell["recipe"]).model_dump_json()
            found[f"{record.arm.task} {record.arm.network} {recipe}"].append(record.cost.seconds)
    return {kind: median(values) for kind, values in found.items()}
