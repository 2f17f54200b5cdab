"""A downstream task: a card and where its cases lie."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from voxbench.api.case import Case
from voxbench.api.task_card import TaskCard
from voxbench.fields import added

Part = Literal["train", "validation", "test", "all", "unlabelled"]


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A plugin that knows where volumes lie, with their labels or without.

    A subclass is a frozen dataclass; its further fields are the keys that a sweep may set in
    the task's table.

    Attributes:
        root: folder of the data set. The engine resolves it: the sweep's `root`, else
            `folder` below the data root, else (for a generated task) a folder of the cache.
        mirror: axes along which training may mirror patches, of R (left and right), A (front and
            back) and S (top and bottom), as "AS"; by default those that turn no class into another.
        scoring: official way to score cases, as "flare22"; by default voxbench's own.
    """

    root: Path
    mirror: str | None = added(None)
    scoring: str | None = added(None)

    folder: ClassVar[str | None] = None
    generated: ClassVar[bool] = False
    layout: ClassVar[str | None] = None
    """What `recognises` looks for, in words; None where that is the name of the folder."""

    @property
    @abstractmethod
    def card(self) -> TaskCard:
        """The card; a task of private data reads it from the folder's own description."""

    @property
    def notes(self) -> Sequence[str]:
        """What was found about the data and decides results, a sentence each, for plan and record.

        Raises:
            DataError: as `cases`.
        """
        return ()

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a folder looks like this task's data; by default it is called `folder`."""
        return folder.name == cls.folder

    @abstractmethod
    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """List the cases by split, sorted by id; a generated task writes them first.

        A task with published splits returns `train`, `validation` and `test`; one without
        returns them all under `all`, and the engine splits them by patient. Further images that
        nobody labelled are `unlabelled`: they pre-train arms that need no labels, and no others.

        Raises:
            DataError: `root` lacks what the task needs; the message says how to get it.
        """

    def lists(self) -> Mapping[str, Sequence[str]]:
        """Published fractions of the training part: name, as "suprem-64" → ids of its cases.

        A name ends in the number of its patients, and stands for ever for the same cases.

        Raises:
            DataError: a list is not the published one.
        """
        return {}

    def folds(self, of: int) -> Mapping[str, int] | None:
        """The fold of each patient whom a published cross-validation divides, from 0.

        Args:
            of: how many folds are asked for.

        Returns:
            None where nobody published so many: patients are then divided by a hash of their names.
        """
        return None
