"""Cross-validation: every patient is tested on by the one training that has not seen them.

The folds divide the patients of all labelled cases; those of a published test part stay aside, as
they do where nnU-Net cross-validates. In each fold its patients are tested on, an eighth of the
others validates, and the rest may be trained on. A task may know published folds; else patients are
dealt out in the order of a hash of their names, which makes folds of equal size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from voxbench.api import Case, Task
from voxbench.data.dataset import Dataset
from voxbench.data.split import Split, make_split, name_hash, validating
from voxbench.design.cell import digest
from voxbench.design.fold import Fold
from voxbench.errors import DataError

_FEWEST_OTHERS = 2  # patients of the other folds: one to train on, one to validate by


def cross_validated(task: Task, dataset: Dataset, fold: Fold) -> Dataset:
    """A task's data as a fold of a cross-validation trains and tests on them.

    All folds share the identity, which holds who is in which.

    Raises:
        DataError: there are too few patients, or the folds that the task publishes are none.
    """
    split = dataset.split
    fold_of, origin = _fold_of(task, split, fold.of)
    every = (*split.train, *split.validation, *split.test)
    cases = [case for case in every if case.patient in fold_of]
    parts = _parts(cases, fold_of, fold.number)
    own = make_split(parts, f"task {dataset.card.name!r}, {fold}")
    held_out = {case.patient for case in (*own.validation, *own.test)}
    unlabelled = tuple(case for case in split.unlabelled if case.patient not in held_out)
    partition = digest([fold.of, sorted(fold_of.items()), sorted(case.id for case in cases)])
    return replace(
        dataset,
        split=own._replace(unlabelled=unlabelled),
        fold=fold,
        partition=partition,
        identity=digest([dataset.identity, "folds", partition]),
        notes=(*dataset.notes, f"cross-validation: {fold}, {origin}: {_told(own)}"),
    )


def _fold_of(task: Task, split: Split, of: int) -> tuple[Mapping[str, int], str]:
    """The fold of each patient whom the folds divide, and whose folds these are."""
    name = task.card.name
    divided = (*split.train, *split.validation, *(split.test if split.drawn else ()))
    if (found := task.folds(of)) is not None:
        known = {case.patient for case in (*divided, *split.test)}
        if not {*found} <= known or {*found.values()} != {*range(of)}:
            raise DataError(
                f"task {name!r}: folds() has to give patients of its cases a number from 0 to "
                f"{of - 1}, and each number to somebody."
            )
        return found, "as published"
    dealt = sorted({case.patient for case in divided}, key=name_hash)
    if len(dealt) < of:
        raise DataError(f"task {name!r}: {len(dealt)} patients make no {of} folds; take fewer.")
    return {patient: place % of for place, patient in enumerate(dealt)}, "dealt out by patient"


def _parts(
    cases: Sequence[Case], fold_of: Mapping[str, int], number: int
) -> Mapping[str, tuple[Case, ...]]:
    tested = tuple(case for case in cases if fold_of[case.patient] == number)
    others = tuple(case for case in cases if fold_of[case.patient] != number)
    if len({case.patient for case in others}) < _FEWEST_OTHERS:
        raise DataError("folds: the others of a fold need at least two patients; take more folds.")
    train, validation = validating(others)
    return {"train": train, "validation": validation, "test": tested}


def _told(split: Split) -> str:
    return (
        f"{len(split.train)} train, {len(split.validation)} validate, {len(split.test)} are tested"
    )
