"""Any folder in nnU-Net's raw layout as a task, without code.

    dataset.json                 channel_names, labels, file_ending; optionally patients, corpora
    imagesTr/<case>_0000.nii.gz  one file a channel
    labelsTr/<case>.nii.gz       one label map; NRRD, MHA and NPZ are read too
    imagesTs/, labelsTs/         likewise, of a published test part; imagesVa/, labelsVa/ validate
    imagesUn/, unlabeledTr/, …   images that nobody labelled

Without any file in labelsTr the images of imagesTr are unlabelled: they are split as if they had
labels, and pre-train baselines that need none.

Regions of `labels` are scored as such; a network tells their parts apart, which exclude one
another, so that `regions_class_order` decides nothing. Voxels of the label `ignore` neither train
nor score.

`patients` maps case to person, so that the scans of one person stay in one part of the split. Where
else that may stand, and a published split, tell `data/patients.py` and `data/published_split.py`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from voxbench.api import Case, Part, TaskCard
from voxbench.errors import DataError
from voxbench.toolkit import (
    ENDINGS,
    DatasetJson,
    card_name,
    make_card,
    modality_of,
    part_named,
    stem_of,
    tolerances,
    volume_files,
)

from voxbench_tasks.folder import LabelledFolder

_UNLABELLED = re.compile(r"(images)?unlabel+ed(tr|train|images|cases)?|imagesun(tr)?", re.I)


@dataclass(frozen=True, kw_only=True)
class NnunetFolder(LabelledFolder):
    """A raw folder.

    Its cases are all of `imagesTr` and `labelsTr` (what misses its pair is for `prepare`), of other
    parts what has a label, and what lies in folders of unlabelled images.

    Attributes:
        title: the card's name; by default the folder's, without `Dataset501_`.
    """

    layout: ClassVar[str] = "dataset.json beside imagesTr/<case>_0000.nii.gz and labelsTr/"

    @cached_property
    def card(self) -> TaskCard:
        """Read from `dataset.json` and the headers of the images."""
        name = self.title or card_name(re.sub(r"^(Dataset|Task)\d+_", "", self.root.name))
        modality = self.modality or modality_of(self._described.channels)
        classes: dict[str, int | tuple[int, ...]] = {}
        tolerance = None
        if self._labelled:
            classes = self._described.classes
            tolerance = self.tolerance_mm or self._described.table.get("tolerance_mm")
            if not classes:
                raise DataError(f"{self.root}: classes: dataset.json names none for the labels.")
        return make_card(
            self.root,
            name=name,
            modality=modality,
            channels=self._described.channels,
            classes=classes,
            ignore=self._described.ignored if self._labelled else None,
            spacing_mm=self._spacing,
            tolerance_mm=tolerances(classes, modality, tolerance, self._described.path),
            window=self.window,
            licence=str(self._described.table.get("licence") or "unknown"),
            reference=str(self._described.table.get("reference") or self.root.name),
            corpora=self.corpora_named(self._described.table, name),
        )

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether there are a description and an image with the number of its channel."""
        described = (folder / "dataset.json").is_file()
        names = (stem_of(path.name) for path in (folder / "imagesTr").glob("[!.]*"))
        return described and any(name and name.endswith("_0000") for name in names)

    @property
    def notes(self) -> Sequence[str]:
        """Where patients and split were found, and what is not used."""
        used = {images for cases in self._found.values() for c in cases for images in c.images}
        lying = {
            path
            for folder in self.root.glob("images*/")
            if part_named(folder.name.removeprefix("images"))
            for name, path in volume_files(folder).items()
            if name.endswith("_0000")
        }
        unused = len(lying - used)
        told = (f"images without a label, not used: {unused}",) if unused else ()
        return (*super().notes, *told)

    @cached_property
    def _described(self) -> DatasetJson:
        hint = "An nnU-Net raw folder has one beside imagesTr/."
        return DatasetJson.read(self.root / "dataset.json", hint)

    @cached_property
    def _found(self) -> dict[Part, list[Case]]:
        """The cases of each part that the names of the folders tell."""
        ending = str(self._described.table.get("file_ending", ".nii.gz"))
        if ending.lower() not in ENDINGS:
            raise DataError(
                f"{self._described.path}: file_ending: {ending!r} is none of {', '.join(ENDINGS)}; "
                "convert first."
            )
        found: dict[Part, list[Case]] = {}
        for images in sorted(self.root.glob("images*/")):
            suffix = images.name.removeprefix("images")
            part = part_named(suffix)
            if part and (cases := self._cases(images, self.root / f"labels{suffix}", ending)):
                found.setdefault(part, []).extend(cases)
        for images in sorted(self.root.glob("*/")):
            if _UNLABELLED.fullmatch(re.sub(r"[\W_]", "", images.name)):
                found.setdefault("unlabelled", []).extend(self._cases(images, None, ending))
        if not (found.get("train") or found.get("unlabelled")):
            raise DataError(f"{self.root / 'imagesTr'}: no file like <case>_0000{ending}.")
        return found

    def _cases(self, images: Path, labels: Path | None, ending: str) -> list[Case]:
        """The cases of two folders; without those that nobody labelled, outside of training."""
        lying, drawn = volume_files(images), volume_files(labels) if labels else {}
        names = set(drawn)
        if labels is None or part_named(images.name.removeprefix("images")) == "train":
            names |= {stem.removesuffix("_0000") for stem in lying if stem.endswith("_0000")}
        self._check_channels(lying, names)
        stems = {
            name: [f"{name}_{channel:04d}" for channel in range(len(self._described.channels))]
            for name in sorted(names)
        }
        return [
            Case(
                id=name,
                images=tuple(lying.get(stem, images / f"{stem}{ending}") for stem in stems[name]),
                label=drawn.get(name, labels / f"{name}{ending}") if labels and drawn else None,
                patient=name,
            )
            for name in stems
        ]

    def _check_channels(self, lying: Mapping[str, Path], names: set[str]) -> None:
        """Refuse files of a channel that `channel_names` does not name."""
        count = len(self._described.channels)
        for stem, path in lying.items():
            name, _, number = stem.rpartition("_")
            if name in names and re.fullmatch(r"\d{4}", number) and int(number) >= count:
                raise DataError(
                    f"{path}: is channel {int(number)}, but channel_names of "
                    f"{self._described.path.name} has 0 to {count - 1}; name it there, or move the "
                    "file away."
                )
