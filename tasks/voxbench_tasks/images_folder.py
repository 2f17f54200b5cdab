"""Any folder of volumes without labels as a source of pre-training, without code.

    <case>.nii.gz                       a volume a case; NRRD, MHA and NPZ are read too,
    <case>_0000.nii.gz, …               or one a channel, as nnU-Net numbers them,
    <case>/<channel>.nii.gz             or a folder a case
    <case>/<any name>.dcm               or a DICOM series a case

All of them pre-train baselines that need no labels; none is held out, as there is nothing to score.
Where it may stand who is who tells `data/patients.py`.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from voxbench.api import Case, TaskCard
from voxbench.errors import DataError
from voxbench.toolkit import (
    FolderCases,
    arrange_cases,
    card_name,
    holds_series,
    make_card,
    median_spacing,
    modality_of,
    stem_of,
    volume_files,
)

from voxbench_tasks.folder import Folder

_CHANNEL = re.compile(r"(.+)_(\d{4})")


@dataclass(frozen=True, kw_only=True)
class ImagesFolder(Folder):
    """A folder of images.

    Attributes:
        modality: CT, MR, PET or other, or one a channel; by default from the names of the channels,
            which numbered or single files don't have: then "other".
    """

    layout: ClassVar[str] = "volumes without labels, <case>.nii.gz or <case>/<channel>.nii.gz"

    @cached_property
    def card(self) -> TaskCard:
        """Read from the names of the files, their headers and, if there is one, `about.json`."""
        name = self.title or card_name(self.root.name)
        return make_card(
            self.root,
            name=name,
            modality=self._modality,
            channels=self._channels,
            classes={},
            spacing_mm=self.spacing_mm
            or median_spacing([files[0] for files in self._files.values()]),
            tolerance_mm={},
            window=self.window,
            licence=str(self._about.get("licence") or "unknown"),
            reference=str(self._about.get("reference") or self._about.get("name") or name),
            corpora=self.corpora_named(self._about, name),
        )

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether it holds volumes, or folders of them, and nothing that looks like labels."""
        lying = [*folder.glob("[!.]*"), *folder.glob("[!.]*/[!.]*")]
        below = {path.name for path in lying if path.parent != folder}
        others = any((folder / name).is_dir() for name in ("imagesTr", "labelsTr"))
        return not (others or "segmentations" in below) and any(
            stem_of(path.name) or holds_series(path) for path in lying
        )

    @cached_property
    def _arranged(self) -> FolderCases:
        cases = [Case(name, files, None, name) for name, files in self._files.items()]
        return arrange_cases(self.root, {"unlabelled": cases}, self.patients, None)

    @cached_property
    def _modality(self) -> str | tuple[str, ...]:
        return self.modality or modality_of(self._channels)

    @cached_property
    def _channels(self) -> tuple[str, ...]:
        """Stems of the files of most folders, or the numbers that most cases have."""
        counts = Counter(tuple(files) for files in self._found.values())
        return counts.most_common(1)[0][0]

    @cached_property
    def _files(self) -> dict[str, tuple[Path, ...]]:
        """Case → a file a channel; one that is not there is for `prepare` to report."""
        return {
            name: tuple(
                files.get(channel, self.root / name / f"{channel}.nii.gz")
                for channel in self._channels
            )
            for name, files in sorted(self._found.items())
        }

    @cached_property
    def _found(self) -> dict[str, dict[str, Path]]:
        """Case → channel → file."""
        lying = volume_files(self.root)
        numbered = {stem: _CHANNEL.fullmatch(stem) for stem in lying}
        if not lying:
            folders = {place.name: volume_files(place) for place in self.root.glob("[!.]*/")}
            found = {name: files for name, files in folders.items() if files}
        elif all(numbered.values()):
            found = {}
            for stem, match in numbered.items():
                assert match  # noqa: S101 (for the type checker)
                found.setdefault(match[1], {})[f"channel {int(match[2])}"] = lying[stem]
        else:
            found = {stem: {"image": path} for stem, path in lying.items()}
        if not found:
            raise DataError(f"{self.root}: no volumes in it, nor in the folders below it.")
        return found
