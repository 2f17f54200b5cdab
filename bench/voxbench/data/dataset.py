"""A task with its data at hand: how they are split, and what they are as one hash."""

from dataclasses import dataclass, field

from voxbench.api import Task, TaskCard
from voxbench.data.content_hash import cases_hash
from voxbench.data.split import Split, split_cases
from voxbench.design.cell import digest


@dataclass(frozen=True)
class Dataset:
    """A task whose data are here, looked up once; equal to another of the same content.

    Attributes:
        task: the plugin, which may have read its card from its files.
        split: the cases by part.
        identity: hash of the files, the split, and all of the card that decides a result.
    """

    task: Task = field(compare=False)
    split: Split = field(compare=False)
    identity: str

    @property
    def card(self) -> TaskCard:
        """Of the task."""
        return self.task.card


def open_dataset(task: Task) -> Dataset:
    """Split a task's cases and hash what they are.

    Raises:
        DataError: a file is missing, or the cases can't be split.
    """
    split = split_cases(task)
    card = task.card.model_dump(mode="json", exclude={"name", "licence", "reference", "corpora"})
    cases = [*split.train, *split.validation, *split.test]
    return Dataset(task, split, digest([cases_hash(cases), split.sha256, card]))
