"""What folders of somebody's data have in common, whatever their layout."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from voxbench.api import Case, Part, Task, added
from voxbench.errors import DataError
from voxbench.toolkit import (
    FolderCases,
    arrange_cases,
    corpora_of,
    median_spacing,
    published_folds,
    read_json,
)


@dataclass(frozen=True, kw_only=True)
class Folder(Task):
    """A folder; what its files don't say may be set.

    Attributes:
        title: the card's name; by default the folder's.
        modality: CT, MR, PET or other, or one a channel; by default from the channels' names.
        spacing_mm: grid along R, A, S; by default the median of the images.
        window: of CT, in HU.
        patients: who is who, where no table beside the data says so, or against it: "prefix" (of
            the cases' names), "case" (each shows another person), or a table, relative to `root`.
        corpora: that its volumes are of, by the names of `voxbench ls corpora` or of the sweep; by
            default what the folder's description says, else the card's name.
    """

    title: str | None = None
    modality: str | tuple[str, ...] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    window: tuple[float, float] = (-175.0, 250.0)
    patients: str | None = added(None)
    corpora: tuple[str, ...] | None = added(None)

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """The cases of each part, with their patients."""
        return self._arranged.parts

    @property
    def notes(self) -> Sequence[str]:
        """Where patients and split were found, and which intensities are of an unknown kind."""
        kinds = zip(self.card.channels, self.card.modalities, strict=True)
        strange = [name for name, kind in kinds if kind == "other" and self.modality is None]
        told = f'{", ".join(strange)}: intensities are z-scored; say modality = "CT" if they are HU'
        return (*self._arranged.notes, *([told] if strange else []))

    def corpora_named(self, description: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """Those of the field, else of the folder's description, else the card's name.

        Raises:
            DataError: the description's are no list of names.
        """
        return self.corpora or corpora_of(description, self.root, name)

    @property
    @abstractmethod
    def _arranged(self) -> FolderCases:
        """The cases, once patients and split are known."""

    @cached_property
    def _about(self) -> dict[str, Any]:
        """What `about.json` says; nothing where there is none."""
        path = self.root / "about.json"
        return read_json(path) if path.is_file() else {}


@dataclass(frozen=True, kw_only=True)
class LabelledFolder(Folder):
    """A folder of cases with labels, and perhaps of others without.

    Attributes:
        tolerance_mm: NSD tolerance of all classes, or a table by class; by default what the
            folder's description says, else 2 mm in CT and PET, 1 mm in others.
        split: "own" parts the cases for training by patient, whatever split was published; those
            in folders of other parts are left out.
    """

    tolerance_mm: float | tuple[str, ...] | None = None
    split: str | None = added(None)

    @property
    @abstractmethod
    def _found(self) -> Mapping[Part, list[Case]]:
        """The cases of each part that the names of the folders tell."""

    @cached_property
    def _arranged(self) -> FolderCases:
        return arrange_cases(self.root, self._found, self.patients, self.split)

    def folds(self, of: int) -> Mapping[str, int] | None:
        """Those that lie beside the data, of what may be trained on.

        Raises:
            DataError: they leave out a case, or divide a patient.
        """
        train = {case.id for case in self._found["train"] if case.label is not None}
        who = {
            case.id: case.patient
            for cases in self.cases().values()
            for case in cases
            if case.id in train
        }
        found = None if self.split == "own" else published_folds(self.root, [*who], of)
        if found is None:
            return None
        fold_of = {who[case]: number for case, number in found.items()}
        if divided := sorted({who[case] for case in found if fold_of[who[case]] != found[case]}):
            raise DataError(
                f"{self.root}: has patient {divided[0]} in two of its published folds; all cases "
                'of a patient belong to one. Correct them, or say split = "own", which deals '
                'patients out anew, or patients = "case", if each case shows another person.'
            )
        return fold_of

    @property
    def _labelled(self) -> list[Case]:
        return [case for cases in self._found.values() for case in cases if case.label is not None]

    @property
    def _spacing(self) -> tuple[float, float, float] | None:
        """As set, else the median of the labelled cases' images, or of all where none is."""
        found = self._labelled or [case for cases in self._found.values() for case in cases]
        return self.spacing_mm or median_spacing([case.images[0] for case in found])
