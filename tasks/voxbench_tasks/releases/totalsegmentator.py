"""TotalSegmentator (Wasserthal et al. 2023) in both versions, with SuPreM's five groups.

Names and their order are those of `totalsegmentator/map_to_binary.py` of
https://github.com/wasserth/TotalSegmentator at commit 0e65a44 (`total_v1` and `total`); the groups
are those of `target_applications/totalsegmentator/dataset/dataloader.py` of
https://github.com/MrGiovanni/SuPreM at commit 76e1a64, which agrees in the names. Where masks
overlap, the later class of that order keeps the voxel, as its author says (issue 8 there). The NSD
tolerance of 3 mm is that of `resources/evaluate.py`. Public download scripts agree in size and
checksum of the archive of version 2.0.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from voxbench.api import Archive, Part, Source, TaskCard, added
from voxbench.errors import DataError, SpecError, unknown
from voxbench.toolkit import find_split

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered
from voxbench_tasks.releases.suprem_lists import PARTS, fractions, read_list
from voxbench_tasks.releases.totalsegmentator_classes import GROUPS, V1, V2

_OWN = 'Put the released one there, or say split = "own".'


@dataclass(frozen=True, kw_only=True)
class TotalSegmentator(Release):
    """One of its versions.

    Attributes:
        group: of the structures: organs, muscles, cardiac (of version 1 alone), vertebrae or ribs,
            as SuPreM evaluates; or all.
    """

    group: str = "all"

    version: ClassVar[str]
    structures: ClassVar[tuple[str, ...]]
    published = "of its authors, by the column `split` of meta.csv"
    places = (Place("train", r"s\d{4}", ("{case}/ct",), "{case}/segmentations/{class}"),)

    @cached_property
    def card(self) -> TaskCard:
        """Of the group."""
        named = {**GROUPS, "all": self.structures}
        if self.group not in named:
            raise SpecError(f"totalsegmentator: {unknown('group', self.group, named)}")
        if missing := set(named[self.group]) - set(self.structures):
            raise SpecError(
                f'totalsegmentator: group = "{self.group}" needs version 1: version '
                f"{self.version} has no masks of {', '.join(sorted(missing))}."
            )
        return TaskCard(
            name=f"totalsegmentator-v{self.version}-{self.group}",
            modality="CT",
            channels=("ct",),
            classes=numbered(*named[self.group]),
            spacing_mm=(1.5, 1.5, 1.5),
            tolerance_mm=dict.fromkeys(named[self.group], 3.0),
            licence="CC BY 4.0",
            reference="Wasserthal et al., TotalSegmentator, Radiol Artif Intell 5:e230024 (2023)",
            corpora=(f"TotalSegmentator-v{self.version}",),
        )

    def listed(self, cases: Iterable[str]) -> Mapping[str, Part]:
        """The part of each case by meta.csv."""
        wanted, table = [*cases], self.root / "meta.csv"
        found = find_split(self.root, {"train": wanted})
        if found is None or not found.origin.endswith(table.name):
            raise DataError(
                f"{table}: no such file, or no column `split` in it; it comes with the data and "
                f"says what is tested on. {_OWN}"
            )
        if left := sorted({*wanted} - found.part_of.keys()):
            raise DataError(f"{table}: names no part of {', '.join(left[:3])}. {_OWN}")
        return found.part_of


@dataclass(frozen=True, kw_only=True)
class TotalSegmentatorV1(TotalSegmentator):
    """Version 1: 1204 CT, 104 structures (zenodo.org/records/6802614).

    Attributes:
        suprem: folder of SuPreM's lists, relative to `root`: their split takes the place of the
            published one, and there are fractions `suprem-64`, 128, 256, 512 and 1024.
    """

    suprem: str | None = added(None)

    version = "1"
    structures = V1
    folder: ClassVar[str] = "Totalsegmentator_dataset"
    source = Source(
        where="Unpack Totalsegmentator_dataset.zip of zenodo.org/records/6802614.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/6802614/files/Totalsegmentator_dataset.zip",
            ),
        ),
        counts={"train": 1082, "validation": 57, "test": 65},
    )

    @property
    def published(self) -> str:  # type: ignore[override]
        """Whose split it is."""
        return "of SuPreM's lists" if self.suprem else super().published

    def listed(self, cases: Iterable[str]) -> Mapping[str, Part]:
        """The part of each case by meta.csv, or by SuPreM's lists, which leave some out."""
        if self.suprem is None:
            return super().listed(cases)
        parts = {part: {*read_list(self.root / self.suprem, name)} for name, part in PARTS.items()}
        return {
            case: next((part for part in parts if case in parts[part]), "unlabelled")
            for case in cases
        }

    def lists(self) -> Mapping[str, Sequence[str]]:
        """SuPreM's, where their folder is named."""
        return fractions(self.root / self.suprem) if self.suprem else {}


@dataclass(frozen=True, kw_only=True)
class TotalSegmentatorV2(TotalSegmentator):
    """Version 2.0.1: 1228 CT, 117 structures (zenodo.org/records/10047292).

    Take 2.0.1: of what is wrong in 2.0.0 the register of known errors tells.
    """

    version = "2"
    structures = V2
    folder: ClassVar[str] = "Totalsegmentator_dataset_v201"
    source = Source(
        where="Unpack Totalsegmentator_dataset_v201.zip of zenodo.org/records/10047292.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/10047292/files/Totalsegmentator_dataset_v201.zip",
                "md5:fe250e5718e0a3b5df4c4ea9d58a62fe",
                23_581_218_285,
            ),
        ),
        counts={"train": 1082, "validation": 57, "test": 89},
    )
