"""The prepared cases of a cell: what it trains on, selects by and is tested on."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from voxbench.api import Case, TaskCard
from voxbench.data.batches import Batches, augmented_batches
from voxbench.data.cache import PreparedCase, damaged
from voxbench.data.content_hash import check_unchanged
from voxbench.data.dataset import Dataset
from voxbench.data.folds import folds_of
from voxbench.data.fraction import Subset, draw_subset
from voxbench.data.prepare import prepare_cases
from voxbench.data.voxel_size import across_slices
from voxbench.design.cell import Cell
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.seeds import streams


class CellData(NamedTuple):
    """The cases of a cell, each part sorted by case id.

    Attributes:
        card: of the task.
        prepared: case id → prepared case, of the whole task.
        batches: what each step is trained on.
        train: what may be learnt from.
        validation: what weights may be selected by.
        test: what is scored.
        mirrored: axes of the arrays along which classes stay what they are.
        files: every file of the cases → its sha256 when the sweep was planned.
    """

    card: TaskCard
    prepared: Mapping[str, PreparedCase]
    batches: Batches
    train: tuple[Case, ...]
    validation: tuple[Case, ...]
    test: tuple[Case, ...]
    mirrored: tuple[int, ...]
    files: Mapping[Path, str]


def load_cell_data(cell: Cell, dataset: Dataset, preprocessing: Preprocessing) -> CellData:
    """Prepare the task's cases, those that are not in the cache yet, and draw the cell's.

    Raises:
        DataError: at least one case can't be used; lists every fatal problem of all of them. Or a
            file is not what it was when the sweep was planned.
    """
    prepared = _checked(dataset, preprocessing)
    return _of(cell, dataset, preprocessing, prepared, _subset(cell, dataset, prepared))


def with_training(
    data: CellData,
    cell: Cell,
    dataset: Dataset,
    preprocessing: Preprocessing,
    names: Collection[str],
) -> CellData:
    """The same with other cases to learn from: those of the split's training part with such ids."""
    chosen = tuple(case for case in dataset.split.train if case.id in names)
    return _of(cell, dataset, preprocessing, data.prepared, Subset(chosen, data.validation))


def load_folds(cell: Cell, dataset: Dataset, preprocessing: Preprocessing) -> list[CellData]:
    """What the trials of a tuning are trained on and judged by; see `data.folds`.

    Raises:
        DataError: as of `load_cell_data`.
    """
    prepared = _checked(dataset, preprocessing)
    folds = folds_of(_subset(cell, dataset, prepared), streams(cell)["subset"])
    return [_of(cell, dataset, preprocessing, prepared, fold) for fold in folds]


def _checked(dataset: Dataset, preprocessing: Preprocessing) -> Mapping[str, PreparedCase]:
    """All cases, as they were when the sweep was planned."""
    prepared = _prepared(dataset, preprocessing)
    if damaged(case.path for case in prepared.values()):
        _prepared.cache_clear()
        prepared = _prepared(dataset, preprocessing)
    check_unchanged(dataset.files, dataset.files)
    return prepared


def _subset(cell: Cell, dataset: Dataset, prepared: Mapping[str, PreparedCase]) -> Subset:
    present = {name: case.present for name, case in prepared.items()}
    return draw_subset(dataset.split, cell.fraction, streams(cell)["subset"], present)


def _of(
    cell: Cell,
    dataset: Dataset,
    preprocessing: Preprocessing,
    prepared: Mapping[str, PreparedCase],
    subset: Subset,
) -> CellData:
    recipe, mirrored = cell.recipe, dataset.mirroring.along(preprocessing.axes)
    batches = augmented_batches(
        [prepared[case.id] for case in subset.train],
        dataset.card.parts,
        mirrored,
        recipe,
        foreground=recipe.foreground,
        seeds=streams(cell),
        thick=across_slices(dataset, preprocessing) if recipe.dummy_2d else None,
        raters=recipe.raters,
    )
    parts = *subset, dataset.split.test[: cell.limit]
    return CellData(dataset.card, prepared, batches, *parts, mirrored, dataset.files)


@lru_cache(maxsize=16)
def _prepared(dataset: Dataset, preprocessing: Preprocessing) -> Mapping[str, PreparedCase]:
    """All of a task's cases; a worker that runs many cells looks them up once."""
    split = dataset.split
    cases = [*split.train, *split.validation, *split.test]
    return prepare_cases(dataset.card, cases, preprocessing)
