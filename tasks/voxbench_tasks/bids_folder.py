"""Any folder in the Brain Imaging Data Structure (BIDS, Gorgolewski et al. 2016), without code.

    sub-01/anat/sub-01_T1w.nii.gz                       a volume a channel,
    sub-01/ses-2/anat/sub-01_ses-2_FLAIR.nii.gz         or a folder a session
    derivatives/<pipeline>/sub-01/anat/sub-01_…_dseg.nii.gz      one label map, whose values
    derivatives/<pipeline>/dseg.tsv                     a table of index and name tells,
    derivatives/<pipeline>/…/sub-01_…_label-lesion_mask.nii.gz   or a mask a structure

A case is a session, a patient a subject. What a file is called after its session names its channel,
or its label; masks and label maps may also lie beside the images, as ATLAS v2.0 has them. A mask
that a session lacks counts as not annotated; a session without any label is unlabelled.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from voxbench.api import Case, Part, TaskCard
from voxbench.errors import DataError, unknown
from voxbench.toolkit import (
    FolderCases,
    arrange_cases,
    card_name,
    make_card,
    modality_of,
    read_json,
    read_table,
    stem_of,
    tolerances,
)

from voxbench_tasks.bids_files import BidsFile, bids_files, counting, is_map, is_mask, structure_of
from voxbench_tasks.folder import LabelledFolder


@dataclass(frozen=True, kw_only=True)
class BidsFolder(LabelledFolder):
    """A data set of sessions.

    Attributes:
        channels: the endings of the images, such as ["T1w", "FLAIR"]; by default all that most
            sessions have.
        labels: the endings of the labels, one of a label map or one a mask; by default all that end
            in dseg, or else in mask or -manual.
        classes: what the values of a label map mean, as "lesion=1"; by default its table says so.
        pipeline: the folder below derivatives/ to take labels from, where several have some.
    """

    layout: ClassVar[str] = "sub-<subject>/anat/sub-<subject>_<channel>.nii.gz and derivatives/"

    channels: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    pipeline: str | None = None

    @cached_property
    def card(self) -> TaskCard:
        """Read from the files' names, the headers and `dataset_description.json`."""
        path = self.root / "dataset_description.json"
        described = (read_json(path) if path.is_file() else {}) | self._about
        name = self.title or card_name(self.root.name)
        modality = self.modality or modality_of(self._channels)
        return make_card(
            self.root,
            name=name,
            modality=modality,
            channels=self._channels,
            classes=self._classes,
            spacing_mm=self._spacing,
            tolerance_mm=tolerances(self._classes, modality, self.tolerance_mm, self.root),
            window=self.window,
            licence=str(described.get("License") or "unknown"),
            reference=str(described.get("Name") or name),
            corpora=self.corpora_named(described, name),
        )

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a subject has an image that is named after it."""
        found = (*folder.glob("sub-*/anat/sub-*_*"), *folder.glob("sub-*/ses-*/anat/sub-*_*"))
        return any(stem_of(path.name) for path in found)

    @cached_property
    def _arranged(self) -> FolderCases:
        subjects = {case.id: case.patient for cases in self._found.values() for case in cases}
        return arrange_cases(self.root, self._found, self.patients, self.split, subjects)

    @cached_property
    def _files(self) -> list[BidsFile]:
        return bids_files(self.root, self.pipeline)

    @cached_property
    def _label_endings(self) -> tuple[str, ...]:
        """Of one label map, or of a mask a structure."""
        seen = {one.ending for one in self._files}
        for ending in self.labels or ():
            if ending not in seen:
                raise DataError(f"{self.root}: labels: {unknown('ending', ending, seen)}")
        if self.labels:
            return self.labels
        maps = sorted(filter(is_map, seen))
        if maps[1:]:
            raise DataError(f"{self.root}: label maps {', '.join(maps)}: say which in `labels`.")
        return tuple(maps or sorted(filter(is_mask, seen)))

    @cached_property
    def _is_map(self) -> bool:
        endings = self._label_endings
        return len(endings) == 1 and (bool(self.classes) or is_map(endings[0]))

    @cached_property
    def _channels(self) -> tuple[str, ...]:
        """The endings of the images; a label that is not asked for is none, unless it is named."""
        images = [
            one for one in self._files if one.ending not in self._label_endings and not one.derived
        ]
        known = {one.ending for one in images}
        for name in self.channels or ():
            if name not in known:
                raise DataError(f"{self.root}: {unknown('channel', name, known)}")
        if self.channels:
            return self.channels
        sessions: dict[str, list[str]] = {}
        for one in images:
            if not (is_map(one.ending) or is_mask(one.ending)):
                sessions.setdefault(one.case, []).append(one.ending)
        if not sessions:
            raise DataError(f"{self.root}: no image of any session beside the labels.")
        [(found, _)] = Counter(map(tuple, map(sorted, sessions.values()))).most_common(1)
        return found

    @cached_property
    def _classes(self) -> dict[str, int]:
        if not self._is_map:
            return {name: value for value, name in enumerate(self._structures, start=1)}
        if self.classes:
            return dict(self._value(text) for text in self.classes)
        tables = {
            table: self._named(table) for table in counting(self.root, "*dseg.tsv", self.pipeline)
        }
        if not tables:
            raise DataError(
                f"{self.root}: nothing says what the values of {self._label_endings[0]} mean; give "
                'classes = ["lesion=1", …], or a dseg.tsv with columns index and name.'
            )
        (first, found), *others = tables.items()
        if differing := [table for table, named in others if named != found]:
            raise DataError(f"{first} and {differing[0]} name other values; say which `pipeline`.")
        return found

    def _named(self, table: Path) -> dict[str, int]:
        """Class → value, by a table."""
        columns = read_table(table).columns
        if not {"index", "name"} <= columns.keys():
            raise DataError(f"{table}: expected columns index and name, got {', '.join(columns)}.")
        rows = zip(columns["name"], columns["index"], strict=True)
        return dict(self._value(f"{name}={i}") for name, i in rows if i != "0")

    def _value(self, text: str) -> tuple[str, int]:
        name, _, value = text.rpartition("=")
        if not name or not value.isdigit():
            raise DataError(f'{self.root}: classes: expected "lesion=1", got {text!r}.')
        return name, int(value)

    @cached_property
    def _structures(self) -> dict[str, str]:
        """Structure → ending of its masks."""
        named = {structure_of(ending): ending for ending in self._label_endings}
        if len(named) < len(self._label_endings):
            raise DataError(
                f"{self.root}: masks {', '.join(self._label_endings)} name a structure twice: say "
                "which in `labels`."
            )
        return named

    @cached_property
    def _found(self) -> Mapping[Part, list[Case]]:
        files: dict[str, dict[str, Path]] = {}
        for one in self._files:
            channels = () if one.derived else self._channels
            if one.ending not in (*self._label_endings, *channels):
                continue
            other = files.setdefault(one.case, {}).setdefault(one.ending, one.path)
            if other != one.path:
                raise DataError(f"{other} and {one.path} are one file; say which `pipeline`.")
        cases = [self._case(name, found) for name, found in sorted(files.items())]
        parts: dict[Part, list[Case]] = {"train": [c for c in cases if c.label is not None]}
        if bare := [case for case in cases if case.label is None]:
            parts["unlabelled" if parts["train"] else "train"] = bare
        return parts

    def _case(self, name: str, found: Mapping[str, Path]) -> Case:
        subject, *session = name.split("_")
        place = self.root.joinpath(subject, *session, "anat")
        images = tuple(
            found.get(ending, place / f"{name}_{ending}.nii.gz") for ending in self._channels
        )
        if self._is_map:
            return Case(name, images, found.get(self._label_endings[0]), subject)
        masks = {one: found[ending] for one, ending in self._structures.items() if ending in found}
        partly = None if len(masks) in (0, len(self._structures)) else frozenset(masks)
        return Case(name, images, masks or None, subject, partly)
