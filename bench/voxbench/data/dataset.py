"""The data of a task: its card, how its cases are split, and what they are as one hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from voxbench.api import Case, Task, TaskCard
from voxbench.data.content_hash import cases_hash, file_hashes
from voxbench.data.mirroring import Mirroring, find_mirroring, mirroring_of_images
from voxbench.data.scored_as import scored_as, scoring_notes
from voxbench.data.split import Split, split_cases
from voxbench.design.cell import digest
from voxbench.design.fold import Fold
from voxbench.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """The data of a task, looked up once; equal to others of the same content.

    Attributes:
        card: of the task, which may have been read from its files.
        split: the cases by part.
        mirroring: the axes along which training may mirror.
        identity: hash of the files, the split, and all of the card that decides a result.
        notes: of the task: where patients and split were found, a sentence each.
        files: every file of the cases → the sha256 that entered `identity`.
        fold: of a cross-validation, that the split tests on; None of the task's one split.
        partition: hash of who is in which fold; "" without folds.
        members: the data sets of a union, see `data.union`; empty if it is none.
    """

    card: TaskCard = field(compare=False)
    split: Split = field(compare=False)
    mirroring: Mirroring = field(compare=False)
    identity: str
    notes: tuple[str, ...] = field(default=(), compare=False)
    files: Mapping[Path, str] = field(default_factory=dict, compare=False, repr=False)
    fold: Fold | None = None
    partition: str = field(default="", compare=False)
    members: "tuple[Dataset, ...]" = field(default=(), compare=False, repr=False)

    @property
    def untested(self) -> "Dataset":
        """The same without its test cases: what must not see them is given this."""
        split = self.split._replace(test=())
        kept = {path for case in (*split.train, *split.validation) for path in case.files}
        files = {path: sha256 for path, sha256 in self.files.items() if path in kept}
        return replace(self, split=split, files=files, identity=digest([self.identity, "untested"]))


def open_dataset(task: Task) -> Dataset:
    """Split a task's cases and hash what they are.

    Raises:
        DataError: a file is missing, or the cases can't be split.
        SpecError: the task's `mirror` names no axes, or its `scoring` does not score its classes.
    """
    card, split = scored_as(task.card, task.scoring or task.card.scoring), split_cases(task)
    if split.labelled and not card.classes:
        raise DataError(f"task {card.name!r}: its cases have labels, but its card has no classes.")
    cases = [*split.train, *split.validation, *split.test] or split.unlabelled
    files = file_hashes(path for case in cases for path in case.files)
    content = [cases_hash(cases, files), split.sha256, _told(card)]
    mirroring = find_mirroring(card, split.train, task.mirror)
    identity = digest([*content, *([mirroring.identity] if mirroring.identity else [])])
    notes = (*task.notes, *scoring_notes(card))
    return Dataset(card, split, mirroring, identity, notes, files)


def open_images(task: Task) -> Dataset:
    """A task's images alone, as training sees them that needs no labels.

    What was labelled and what was not train together. Neither labels nor the names of classes
    enter anything: cases, card, mirroring and identity are the same with them and without.

    Raises:
        DataError: an image is missing, or the cases can't be split.
        SpecError: the task's `mirror` names no axes.
    """
    found = split_cases(task)
    train = sorted((*found.train, *found.unlabelled), key=lambda case: case.id)
    held_out = _bare(found.validation), _bare(found.test)
    split = Split(_bare(train), *held_out, sha256=found.sha256)
    unlabelled = dict.fromkeys(("scoring", "ignore")) | {"classes": {}, "tolerance_mm": {}}
    card = task.card.model_copy(update=unlabelled)
    files = file_hashes(path for case in split.train for path in case.files)
    mirroring = mirroring_of_images(task.card, task.mirror)
    identity = digest(["images", cases_hash(split.train, files), _told(card), mirroring.axes])
    return Dataset(card, split, mirroring, identity, tuple(task.notes), files)


def _bare(cases: Sequence[Case]) -> tuple[Case, ...]:
    return tuple(case.unlabelled for case in cases)


def _told(card: TaskCard) -> object:
    """What a card says that decides a result."""
    silent = [name for name in ("ignore", "scoring") if getattr(card, name) is None]
    aside = {"name", "licence", "reference", "corpora", *silent}
    return card.model_dump(mode="json", exclude=aside)
