"""Lung nodules of LIDC-IDRI with the outline of each reader (Armato et al. 2011)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, NamedTuple

from voxbench.api import Case, Part, Task, TaskCard
from voxbench.errors import DataError, SpecError
from voxbench.toolkit import read_json

_READERS = ("1", "2", "3", "4")
_FOLDERS = (".", "three")
_MALIGNANT = 4  # of 1 to 5, from which on a reader calls a nodule malignant
_TESTED = 5  # one of so many patients without a malignant nodule is tested on


class Nodule(NamedTuple):
    """A nodule.

    Attributes:
        name: of its files.
        patient: the person.
        folder: below the root, of the folders of readers.
        ratings: malignancy by each reader, 1 to 5.
    """

    name: str
    patient: str
    folder: str
    ratings: tuple[int, ...]

    @property
    def malignant(self) -> bool | None:
        """What most readers say; None where as many say one as the other."""
        twice = 2 * sum(rating >= _MALIGNANT for rating in self.ratings)
        return None if twice == len(self.ratings) else twice > len(self.ratings)


@dataclass(frozen=True, kw_only=True)
class LidcRaters(Task):
    """Crops around nodules that four readers outlined, or three of them.

    The label is the union of the readers, as in the crops' own folder, which lies beside this one:
    `imagesTr/` and `labelsTr/` of `Dataset502_LIDCNodule`. Across scans a reader's number is not
    one person, and readers saw each other's marks. Cases are split by patient.

    Attributes:
        shift: "malignancy" trains on nodules that most readers do not call malignant (1 to 3 of 5)
            and tests on further ones and on all that most do (4, 5); where as many do as don't,
            the nodule is left out (ValUES, Kahl et al., ICLR 2024). Patients with a malignant
            nodule are tested on with all of theirs. Not given takes all nodules alike.
    """

    shift: str | None = None

    folder: ClassVar[str] = "Dataset502_LIDCNodule_raters"
    card: ClassVar[TaskCard] = TaskCard(
        name="lidc-raters",
        modality="CT",
        channels=("CT",),
        classes={"nodule": 1},
        spacing_mm=(0.7, 0.7, 1.0),
        tolerance_mm={"nodule": 1.0},
        window=(-1000.0, 400.0),
        licence="CC BY 3.0",
        reference="Armato et al., LIDC-IDRI, Med Phys 38:915 (2011)",
        corpora=("LIDC-IDRI",),
    )

    @property
    def notes(self) -> Sequence[str]:
        """How many of the cases are of the shift, and how they were parted."""
        if self.shift is None:
            return ()
        parts = self.cases()
        shifted = sum(case.shift is not None for case in parts["test"])
        return (
            f"shift by malignancy: {len(parts['train'])} training cases of benign nodules, "
            f"{len(parts['test'])} test cases, {shifted} of malignant ones",
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """All cases, or those of the shift in training and test."""
        nodules = self._nodules
        if self.shift is None:
            return {"all": [self._case(nodule) for nodule in nodules]}
        if self.shift != "malignancy":
            raise SpecError(
                f'{self.root}: shift: expected "malignancy" or nothing, got {self.shift!r}.'
            )
        malignant = {nodule.patient for nodule in nodules if nodule.malignant}
        others = {nodule.patient for nodule in nodules if nodule.malignant is False} - malignant
        tested = malignant | _drawn(others)
        parts: dict[Part, list[Case]] = {"train": [], "test": []}
        for nodule in nodules:
            if nodule.malignant is not None:
                case = self._case(nodule)
                case = replace(case, shift="malignancy") if nodule.malignant else case
                parts["test" if nodule.patient in tested else "train"].append(case)
        return parts

    @cached_property
    def _nodules(self) -> list[Nodule]:
        """What `readers.json` tells of each, by name."""
        path = self.root / "readers.json"
        told = read_json(path, "It lies beside labelsTr_reader1/.").get("cases")
        if not isinstance(told, dict) or not told:
            raise DataError(f"{path}: cases: expected a table of cases.")
        found = []
        for name, one in sorted(told.items()):
            try:
                ratings = tuple(int(reader["malignancy"]) for reader in one["readers"])
                nodule = Nodule(name, one["patient"], one["folder"], ratings)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"{path}: {name}: not a nodule with its readers ({error})."
                ) from None
            if not (
                re.fullmatch(r"[\w-]+", name)
                and nodule.folder in _FOLDERS
                and 0 < len(ratings) <= len(_READERS)
            ):
                raise DataError(
                    f"{path}: {name}: expected a plain name, a folder of {_FOLDERS} and 1 to 4 "
                    f"readers, got {nodule.folder!r} and {len(ratings)}."
                )
            found.append(nodule)
        return found

    def _case(self, nodule: Nodule) -> Case:
        name = nodule.name
        crops = self.root.with_name(self.root.name.removesuffix("_raters"))
        image = crops / "imagesTr" / f"{name}_0000.nii.gz"
        label = crops / "labelsTr" / f"{name}.nii.gz"
        raters: dict[str, Path | None] = dict.fromkeys(_READERS)
        for reader in _READERS[: len(nodule.ratings)]:
            raters[reader] = self.root / nodule.folder / f"labelsTr_reader{reader}/{name}.nii.gz"
        return Case(name, (image,), label, nodule.patient, raters=raters)


def _drawn(patients: set[str]) -> set[str]:
    """A fixed share of patients, by a hash of their names."""
    order = sorted(patients, key=lambda name: sha256(name.encode()).hexdigest())
    return set(order[: len(order) // _TESTED])
