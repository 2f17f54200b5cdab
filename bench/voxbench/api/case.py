"""One volume on disk, with its label where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A volume: what a task hands to the engine.

    Attributes:
        id: unique within the task.
        images: one NIfTI file a channel, in the order of the card's `channels`.
        label: one NIfTI label map, or one binary mask a class name (a class without a file
            is absent from the case, and unlabelled if it is not in `labelled` either); None
            where nobody labelled it, so that it can only pre-train arms that need no labels.
        patient: the person; cases of one patient never fall into different splits.
        labelled: the classes that were annotated in this case; None means all of the card's.
    """

    id: str
    images: tuple[Path, ...]
    label: Path | Mapping[str, Path] | None
    patient: str
    labelled: frozenset[str] | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the case, images first."""
        masks = {"": self.label} if isinstance(self.label, Path) else self.label or {}
        return (*self.images, *masks.values())

    @property
    def unlabelled(self) -> "Case":
        """The same images without their label."""
        return replace(self, label=None, labelled=None)
