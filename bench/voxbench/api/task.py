"""A downstream task: a card and where its cases lie."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from voxbench.api.case import Case
from voxbench.design.preprocessing import Millimetres, Preprocessing, Window, ZScore

Part = Literal["train", "validation", "test", "all"]


class TaskCard(BaseModel):
    """What a task is, validated when it is defined.

    Attributes:
        name: as it appears in records and tables.
        modality: CT is windowed, everything else z-scored per case.
        channels: names of the input channels, one image file each.
        classes: foreground class → label value (0 is background).
        spacing_mm: the grid networks work on; None keeps each case's own.
        tolerance_mm: NSD tolerance of every class.
        window: CT window in HU.
        licence: of the data.
        reference: whom to cite.
        corpora: source corpora, for the contamination check.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    modality: Literal["CT", "MR", "PET", "other"]
    channels: tuple[str, ...] = Field(min_length=1)
    classes: dict[str, int] = Field(min_length=1)
    spacing_mm: tuple[Millimetres, Millimetres, Millimetres] | None
    tolerance_mm: dict[str, Millimetres]
    window: tuple[float, float] = (-175.0, 250.0)
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    corpora: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "TaskCard":
        values = list(self.classes.values())
        if len(set(values)) != len(values) or not all(0 < value < 256 for value in values):
            raise ValueError(f"classes need distinct label values in 1…255, got {self.classes}")
        if differing := sorted(set(self.classes) ^ set(self.tolerance_mm)):
            raise ValueError(f"tolerance_mm must name every class once; differs in {differing}")
        return self

    @property
    def preprocessing(self) -> Preprocessing:
        """The task's own grid and intensity rule."""
        window = Window(low=self.window[0], high=self.window[1])
        return Preprocessing(
            spacing_mm=self.spacing_mm,
            intensity=window if self.modality == "CT" else ZScore(),
        )


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A plugin that knows where labelled volumes lie.

    A subclass is a frozen dataclass; its further fields are the keys that a sweep may set in
    the task's table.

    Attributes:
        root: folder of the data set. The engine resolves it: the sweep's `root`, else
            `folder` below the data root, else (for a generated task) a folder of the cache.
    """

    root: Path

    folder: ClassVar[str | None] = None
    generated: ClassVar[bool] = False

    @property
    @abstractmethod
    def card(self) -> TaskCard:
        """The card; a task of private data reads it from the folder's own description."""

    @abstractmethod
    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """List the cases by split, sorted by id; a generated task writes them first.

        A task with published splits returns `train`, `validation` and `test`; one without
        returns them all under `all`, and the engine splits them by patient.

        Raises:
            DataError: `root` lacks what the task needs; the message says how to get it.
        """
