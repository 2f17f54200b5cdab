"""One volume on disk, with its label where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A volume: what a task hands to the engine.

    Attributes:
        id: unique within the task.
        images: one file a channel, in the order of the card's `channels`, or the folder of its
            DICOM series.
        label: one label map, or one binary mask a class name (a class without a file is absent
            from the case, and unlabelled if it is not in `labelled` either); None where nobody
            labelled it, so that it can only pre-train arms that need no labels. Beside a DICOM
            series either may be a folder of pictures.
        patient: the person; cases of one patient never fall into different splits.
        labelled: the classes that were annotated in this case; None means all of the card's.
        raters: where several annotated the same case, one label map each, by the rater's
            name; None where that rater gave none, which is not an empty map. Then `label` is what
            the task makes of them, for all that wants one truth.
        frame: of a series in time, which of its volumes this case is, from 0; its files then have
            four axes, images and label alike. None where files hold one volume.
        shift: what sets a test case apart from what training saw, in a word; None where nothing is
            known to. It enters no key: it is a question to a result.
    """

    id: str
    images: tuple[Path, ...]
    label: Path | Mapping[str, Path] | None
    patient: str
    labelled: frozenset[str] | None = None
    raters: Mapping[str, Path | None] = field(default_factory=dict, hash=False)
    shift: str | None = None
    frame: int | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the case once, images first."""
        masks = {"": self.label} if isinstance(self.label, Path) else self.label or {}
        drawn = [path for path in self.raters.values() if path is not None]
        return (*self.images, *dict.fromkeys([*masks.values(), *drawn]))

    @property
    def unlabelled(self) -> "Case":
        """The same images without any label."""
        return replace(self, label=None, labelled=None, raters={})
