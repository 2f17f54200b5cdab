"""M&Ms (Campello et al. 2021): the heart in cine MR of 345 labelled patients, four vendors.

Labels and layout: `Dataset114_MNMs.py` of https://github.com/MIC-DKFZ/nnUNet at commit 017de4a, and
`resources/M&Ms.md` of https://github.com/openmedlab/Awesome-Medical-Dataset at commit 7e99132; ACDC
has another order. The files are series in time, of which the end-diastolic and the end-systolic
frame are labelled; which these are, counted from 0, and the vendor stand in the released table. No
maker's NSD tolerance was found: voxbench's own. The grid is that of ACDC's cine MR.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from voxbench.api import Case, Part, Source, TaskCard, added
from voxbench.errors import DataError, SpecError
from voxbench.toolkit import read_table

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_TABLE = "*Dataset_information*.csv"
_NAMES = ("left ventricle", "myocardium", "right ventricle")
_COLUMNS = ("External code", "Vendor", "ED", "ES")
_FOLDERS: dict[str, Part] = {
    "Training/Labeled": "train",
    "Validation": "validation",
    "Testing": "test",
    "Training/Unlabeled": "train",
}


def _place(part: Part, folder: str) -> Place:
    case = f"{folder}/{{case}}/{{case}}_sa"
    return Place(part, r"[A-Z0-9]{6}", (case,), f"{case}_gt", folder.endswith("Unlabeled"))


@dataclass(frozen=True, kw_only=True)
class MMs(Release):
    """150 patients train, 34 validate, 136 are tested on; two frames each.

    Attributes:
        vendor: A (Siemens) or B (Philips): who trains and validates is of this vendor alone.
    """

    vendor: str | None = added(None)

    folder: ClassVar[str] = "MnMs"
    card: ClassVar[TaskCard] = TaskCard(
        name="mms",
        modality="MR",
        channels=("cine MRI",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.0, 1.0, 5.0),
        tolerance_mm=dict.fromkeys(_NAMES, 1.0),
        licence="terms of the challenge: research, not commercial",
        reference="Campello et al., M&Ms, IEEE TMI 40:3543 (2021)",
        corpora=("M&Ms",),
    )
    places = tuple(_place(part, folder) for folder, part in _FOLDERS.items())
    published = "of its authors"
    source = Source(
        where="Unpack OpenDataset of ub.edu/mnms there, with its table of frames and vendors.",
        counts={"train": 300, "validation": 68, "test": 272},
    )

    def patient(self, case: str) -> str:
        """Both frames show one."""
        return case.partition("_")[0]

    @cached_property
    def _told(self) -> Mapping[str, Mapping[str, str]]:
        """Patient → the row of the table."""
        if not (found := sorted(self.root.glob(_TABLE))):
            raise DataError(f"{self.root}: no {_TABLE}, which says the frames. {self.source.where}")
        columns = read_table(found[0]).columns
        if lacking := [title for title in _COLUMNS if title not in columns]:
            raise DataError(f"{found[0]}: no column {', '.join(lacking)}; take the released table.")
        rows = zip(*(columns[title] for title in _COLUMNS), strict=True)
        return {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}

    def _cases(self, place: Place) -> Iterator[Case]:
        """The two frames of each series; an image without a label has its first."""
        if self.vendor not in (None, "A", "B"):
            raise SpecError(f'mms: vendor: expected "A" or "B", which train, got {self.vendor!r}.')
        for series in super()._cases(place):
            if series.label is None:
                yield replace(series, id=f"{series.id}_frame00", frame=0)
                continue
            vendor, frames = self._said_of(series.id)
            if place.part != "test" and self.vendor not in (None, vendor):
                continue
            trained = ("A", "B") if self.vendor is None else (self.vendor,)
            shift = f"vendor {vendor}" if place.part == "test" and vendor not in trained else None
            for frame in frames:
                name = f"{series.id}_frame{frame:02d}"
                yield replace(series, id=name, frame=frame, shift=shift)

    def _said_of(self, patient: str) -> tuple[str, list[int]]:
        """The vendor, and the frames that are labelled, from 0."""
        row = self._told.get(patient, {})
        vendor, *frames = (row.get(title, "") for title in _COLUMNS[1:])
        if not (vendor and all(map(str.isdecimal, frames))):
            raise DataError(
                f"{self.root}: {_TABLE} says no frames ED and ES of {patient}, or no vendor."
            )
        return vendor, sorted({*map(int, frames)})
