"""The data of a task: its card, how its cases are split, and what they are as one hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxbench.api import Task, TaskCard
from voxbench.data.content_hash import cases_hash, file_hashes
from voxbench.data.mirroring import Mirroring, find_mirroring
from voxbench.data.split import Split, split_cases
from voxbench.design.cell import digest


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
    """

    card: TaskCard = field(compare=False)
    split: Split = field(compare=False)
    mirroring: Mirroring = field(compare=False)
    identity: str
    notes: tuple[str, ...] = field(default=(), compare=False)
    files: Mapping[Path, str] = field(default_factory=dict, compare=False, repr=False)


def open_dataset(task: Task) -> Dataset:
    """Split a task's cases and hash what they are.

    Raises:
        DataError: a file is missing, or the cases can't be split.
        SpecError: the task's `mirror` names no axes.
    """
    card, split = task.card, split_cases(task)
    aside = {
        "name",
        "licence",
        "reference",
        "corpora",
        *(["ignore"] if card.ignore is None else []),
    }
    told = card.model_dump(mode="json", exclude=aside)
    cases = [*split.train, *split.validation, *split.test]
    files = file_hashes(path for case in cases for path in case.files)
    content = [cases_hash(cases, files), split.sha256, told]
    mirroring = find_mirroring(task, split.train)
    identity = digest([*content, *([mirroring.identity] if mirroring.identity else [])])
    return Dataset(card, split, mirroring, identity, tuple(task.notes), files)
