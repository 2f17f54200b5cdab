"""Any folder with one folder a case and one mask a structure as a task, without code.

    <case>/ct.nii.gz                              the image: the only volume of the folder,
    <case>/segmentations/<structure>.nii.gz       or one volume a channel

as AbdomenAtlas and TotalSegmentator publish theirs. A structure without a mask counts as not
annotated in that case; an empty mask says that it is absent. Who is who is read from the first
of these that exists: `patients.json` (case → person), `about.json` (`same_person`: lists of
cases) or `meta.csv` (a column `patient_id`, `patient` or `subject`); else each case is a person.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from voxbench.api import Case, Part, Task, TaskCard
from voxbench.errors import DataError, unknown
from voxbench.toolkit import (
    card_name,
    corpora_of,
    make_card,
    median_spacing,
    modality_of,
    read_json,
    tolerances,
)

_MASKS = "segmentations"
_MERGED = "combined_labels"  # AbdomenAtlas ships one beside the image


@dataclass(frozen=True, kw_only=True)
class MasksFolder(Task):
    """A folder of cases; what its files don't say may be set.

    Attributes:
        title: the card's name; by default the folder's.
        modality: CT, MR, PET or other; by default from the names of the image files.
        channels: the image files without their ending; by default every volume of the folder.
        structures: the classes, in this order; by default all, by name. Where masks overlap,
            the later one keeps the voxel.
        spacing_mm: grid along R, A, S; by default the median of the images.
        tolerance_mm: NSD tolerance of all classes; by default 2 mm in CT and PET, else 1 mm.
        window: of CT, in HU.
    """

    layout: ClassVar[str] = f"<case>/{_MASKS}/<structure>.nii.gz beside the image of the case"

    title: str | None = None
    modality: str | None = None
    channels: tuple[str, ...] | None = None
    structures: tuple[str, ...] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    tolerance_mm: float | None = None
    window: tuple[float, float] = (-175.0, 250.0)

    @cached_property
    def card(self) -> TaskCard:
        """Read from the folders, the headers of the images and, if there is one, `about.json`."""
        name = self.title or card_name(self.root.name)
        channels = tuple(_stem(name) for name in self._images)
        modality = self.modality or modality_of(channels)
        classes = {name: value for value, name in enumerate(self._classes, start=1)}
        return make_card(
            self.root,
            name=name,
            modality=modality,
            channels=channels,
            classes=classes,
            spacing_mm=self.spacing_mm or median_spacing([c.images[0] for c in self._cases]),
            tolerance_mm=tolerances(classes, modality, self.tolerance_mm),
            window=self.window,
            licence=str(self._about.get("licence") or "unknown"),
            reference=str(self._about.get("reference") or self._about.get("name") or name),
            corpora=corpora_of(self._about, self.root, name),
        )

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a case has masks."""
        return any(folder.glob(f"[!.]*/{_MASKS}/[!.]*.nii*"))

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """Every folder that holds a mask of at least one of the structures."""
        return {"all": self._cases}

    @cached_property
    def _folders(self) -> dict[str, dict[str, Path]]:
        """Case → structure → mask."""
        found = {
            masks.parent.name: {_stem(path.name): path for path in sorted(masks.glob("[!.]*.nii*"))}
            for masks in sorted(self.root.glob(f"[!.]*/{_MASKS}"))
        }
        if not found:
            raise DataError(f"{self.root}: no <case>/{_MASKS}/ in it.")
        return found

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        seen = {name for masks in self._folders.values() for name in masks}
        for name in self.structures or ():
            if name not in seen:
                raise DataError(f"{self.root}: {unknown('structure', name, seen)}")
        return self.structures or tuple(sorted(seen))

    @cached_property
    def _images(self) -> tuple[str, ...]:
        """Names of the image files: what most cases have, so that an odd one is reported."""
        sets = Counter(
            tuple(sorted(path.name for path in (self.root / case).glob("[!.]*.nii*")))
            for case in self._folders
        )
        found = [
            name for name in max(sets, key=lambda names: sets[names]) if _stem(name) != _MERGED
        ]
        if self.channels is not None:
            stems = {_stem(name): name for name in found}
            for name in self.channels:
                if name not in stems:
                    raise DataError(f"{self.root}: {unknown('channel', name, stems)}")
            found = [stems[name] for name in self.channels]
        if not found:
            raise DataError(f"{self.root}: no image beside {_MASKS}/ in most cases.")
        return tuple(found)

    @cached_property
    def _cases(self) -> list[Case]:
        wanted = set(self._classes)
        return [
            self._case(name, masks) for name, masks in self._folders.items() if wanted & set(masks)
        ]

    def _case(self, name: str, masks: Mapping[str, Path]) -> Case:
        chosen = {structure: masks[structure] for structure in self._classes if structure in masks}
        return Case(
            id=name,
            images=tuple(self.root / name / file for file in self._images),
            label=chosen,
            patient=self._patients.get(name, name),
            labelled=None if len(chosen) == len(self._classes) else frozenset(chosen),
        )

    @cached_property
    def _about(self) -> dict[str, Any]:
        path = self.root / "about.json"
        return read_json(path) if path.is_file() else {}

    @cached_property
    def _patients(self) -> dict[str, str]:
        given, table = self.root / "patients.json", self.root / "meta.csv"
        if given.is_file():
            return {name: str(patient) for name, patient in read_json(given).items()}
        if groups := self._about.get("same_person"):
            if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
                path = self.root / "about.json"
                raise DataError(f'{path}: same_person: expected [["a", "b"], …], got {groups!r}.')
            return {str(name): str(min(group)) for group in groups for name in group}
        return _column(table) if table.is_file() else {}


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".nii")


def _column(path: Path) -> dict[str, str]:
    """Case → person of a table, by its first column and the one that names the person.

    A row that names nobody says nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
        rows = list(csv.DictReader(lines, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read as CSV in UTF-8 ({error}); save it so.") from None
    columns = list(rows[0]) if rows else []
    person = next((c for c in ("patient_id", "patient", "subject") if c in columns), None)
    return {row[columns[0]]: row[person] for row in rows if row[person]} if person else {}
