"""Any folder in nnU-Net's raw layout as a task, without code.

    dataset.json                 channel_names, labels, file_ending; optionally patients, corpora
    imagesTr/<case>_0000.nii.gz  one file a channel
    labelsTr/<case>.nii.gz       one label map

`patients` maps case to person, so that the scans of one person stay in one part of the split.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from voxbench.api import Case, Part, Task, TaskCard
from voxbench.errors import DataError
from voxbench.toolkit import (
    card_name,
    corpora_of,
    make_card,
    median_spacing,
    modality_of,
    read_json,
    tolerances,
)


@dataclass(frozen=True, kw_only=True)
class NnunetFolder(Task):
    """A raw folder; what its files don't say may be set.

    Attributes:
        title: the card's name; by default the folder's, without `Dataset501_`.
        modality: CT, MR, PET or other; by default from the channels' names.
        spacing_mm: grid along R, A, S; by default the median of the images.
        tolerance_mm: NSD tolerance of all classes; by default 2 mm in CT and PET, else 1 mm.
        window: of CT, in HU.
    """

    title: str | None = None
    modality: str | None = None
    spacing_mm: tuple[float, float, float] | None = None
    tolerance_mm: float | None = None
    window: tuple[float, float] = (-175.0, 250.0)

    @cached_property
    def card(self) -> TaskCard:
        """Read from `dataset.json` and the headers of the images."""
        name = self.title or card_name(re.sub(r"^(Dataset|Task)\d+_", "", self.root.name))
        modality = self.modality or modality_of(self._channels)
        first = [case.images[0] for case in self._cases]
        return make_card(
            self.root,
            name=name,
            modality=modality,
            channels=self._channels,
            classes=self._classes,
            spacing_mm=self.spacing_mm or median_spacing(first),
            tolerance_mm=tolerances(self._classes, modality, self.tolerance_mm),
            window=self.window,
            licence=str(self._description.get("licence") or "unknown"),
            reference=str(self._description.get("reference") or self.root.name),
            corpora=corpora_of(self._description, self.root, name),
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """All cases of `imagesTr` and `labelsTr`; files that miss their pair are for `prepare`."""
        return {"all": self._cases}

    @cached_property
    def _description(self) -> dict[str, Any]:
        return read_json(
            self.root / "dataset.json", "An nnU-Net raw folder has one beside imagesTr/."
        )

    @cached_property
    def _channels(self) -> tuple[str, ...]:
        table = self._description.get("channel_names") or self._description.get("modality")
        if not isinstance(table, dict) or not table:
            raise DataError(f'{self._file}: channel_names: expected {{"0": "CT", …}}.')
        return tuple(str(table[key]) for key in sorted(table, key=int))

    @cached_property
    def _classes(self) -> dict[str, int]:
        """Class → value, from version 2 (name → value) or version 1 (value → name)."""
        table = self._description.get("labels")
        if not isinstance(table, dict):
            raise DataError(f'{self._file}: labels: expected {{"background": 0, …}}.')
        if all(str(key).isdigit() for key in table):
            table = {str(name): int(value) for value, name in table.items()}
        for name, value in table.items():
            if isinstance(value, list) or name == "ignore":
                raise DataError(
                    f"{self._file}: labels: {name!r} is "
                    f"{'a region' if isinstance(value, list) else 'an ignore label'}; regions and "
                    "ignore labels are not supported: write one value a class."
                )
            if not isinstance(value, int):
                raise DataError(f"{self._file}: labels: expected a whole number, got {value!r}.")
        return {name: value for name, value in table.items() if value != 0}

    @cached_property
    def _cases(self) -> list[Case]:
        ending = str(self._description.get("file_ending", ".nii.gz"))
        if ending not in (".nii.gz", ".nii"):
            raise DataError(f"{self._file}: file_ending: {ending!r} is not NIfTI; convert first.")
        images, labels = self.root / "imagesTr", self.root / "labelsTr"
        names = {path.name.removesuffix(ending) for path in labels.glob(f"[!.]*{ending}")}
        for path in images.glob(f"[!.]*_0000{ending}"):
            names.add(path.name.removesuffix(f"_0000{ending}"))
        if not names:
            raise DataError(f"{images}: no file like <case>_0000{ending}.")
        patients = self._description.get("patients", {})
        if not isinstance(patients, dict):
            raise DataError(f'{self._file}: patients: expected {{"<case>": "<person>", …}}.')
        endings = [f"_{channel:04d}{ending}" for channel in range(len(self._channels))]
        return [
            Case(
                id=name,
                images=tuple(images / f"{name}{channel}" for channel in endings),
                label=labels / f"{name}{ending}",
                patient=str(patients.get(name, name)),
            )
            for name in sorted(names)
        ]

    @property
    def _file(self) -> str:
        return str(self.root / "dataset.json")
