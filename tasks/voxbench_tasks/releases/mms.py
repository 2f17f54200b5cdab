"""M&Ms (Campello et al. 2021): the heart in cine MR of 345 labelled patients, four vendors.

Labels and layout: `Dataset114_MNMs.py` of https://github.com/MIC-DKFZ/nnUNet at commit 017de4a, and
`resources/M&Ms.md` of https://github.com/openmedlab/Awesome-Medical-Dataset at commit 7e99132; ACDC
has another order. The files are series in time, of which the end-diastolic and the end-systolic
frame are labelled; which these are, counted from 0, and the vendor stand in the released table. No
maker's NSD tolerance was found: voxbench's own. The grid is that of ACDC's cine MR.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from voxbench.api import Case, Source, TaskCard, added
from voxbench.errors import DataError, SpecError

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_TABLE = "*Dataset_information*.csv"
_NAMES = ("left ventricle", "myocardium", "right ventricle")
_PARTS = (
    ("train", "Training/Labeled"), ("validation", "Validation"), ("test", "Testing"),
)  # fmt: skip


def _place(part: str, folder: str) -> Place:
    case = f"{folder}/{{case}}/{{case}}_sa"
    unlabelled = folder.endswith("Unlabeled")
    return Place(part, r"[A-Z0-9]{6}", (case,), f"{case}_gt", unlabelled)  # type: ignore[arg-type]


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
    places = (*(_place(*one) for one in _PARTS), _place("train", "Training/Unlabeled"))
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
        with found[0].open(encoding="utf-8-sig", newline="") as file:
            return {row["External code"]: row for row in csv.DictReader(file)}

    def _cases(self, place: Place) -> Iterator[Case]:
        """The two frames of each series; an image without a label has its first."""
        if self.vendor not in (None, "A", "B"):
            raise SpecError(f'mms: vendor: expected "A" or "B", which train, got {self.vendor!r}.')
        for series in super()._cases(place):
            row = self._told.get(series.id, {})
            vendor = row.get("Vendor", "")
            if place.part != "test" and series.label and self.vendor not in (None, vendor):
                continue
            trained = "AB" if self.vendor is None else self.vendor
            shift = f"vendor {vendor}" if place.part == "test" and vendor not in trained else None
            for frame in self._frames(series, row):
                name = f"{series.id}_frame{frame:02d}"
                yield replace(series, id=name, frame=frame, shift=shift)

    def _frames(self, series: Case, row: Mapping[str, str]) -> list[int]:
        """Those that are labelled, from 0."""
        if series.label is None:
            return [0]
        try:
            return sorted({int(row["ED"]), int(row["ES"])})
        except (KeyError, ValueError):
            raise DataError(
                f"{self.root}: {_TABLE} says no frames ED and ES of {series.id}."
            ) from None
