"""Any folder with one folder a case and one mask a structure as a task, without code.

    <case>/ct.nii.gz                              the image: the only volume of the folder,
    <case>/segmentations/<structure>.nii.gz       or one volume a channel

as AbdomenAtlas and TotalSegmentator publish theirs; the cases may also lie in training/, testing/
and validation/. A structure without a mask counts as not annotated in that case; an empty mask says
that it is absent. A case that holds the images and no mask of any structure is unlabelled: it
pre-trains baselines that need no labels; so do all where none has masks, split as if they had.
Where it may stand who is who, and a published split, tell `data/patients.py` and
`data/published_split.py`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from voxbench.api import Case, Part, TaskCard
from voxbench.errors import DataError, unknown
from voxbench.toolkit import (
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

_MASKS = "segmentations"
_MERGED = "combined_labels"  # AbdomenAtlas ships one beside the image


@dataclass(frozen=True, kw_only=True)
class MasksFolder(LabelledFolder):
    """A folder of cases, each with a mask of at least one structure, or for training without any.

    Attributes:
        channels: the image files without their ending; by default every volume of the folder.
        structures: the classes, in this order; by default all, in the order that the data's author
            names (`structures` of `about.json`, or `labels` of `dataset.json` by value), else by
            name. Where masks overlap, the later one keeps the voxel.
    """

    layout: ClassVar[str] = f"<case>/{_MASKS}/<structure>.nii.gz beside the image of the case"

    channels: tuple[str, ...] | None = None
    structures: tuple[str, ...] | None = None

    @cached_property
    def card(self) -> TaskCard:
        """Read from the folders, the headers of the images and, if there is one, `about.json`."""
        name = self.title or card_name(self.root.name)
        modality = self.modality or modality_of(self._channels)
        classes = {name: value for value, name in enumerate(self._classes, start=1)}
        return make_card(
            self.root,
            name=name,
            modality=modality,
            channels=self._channels,
            classes=classes,
            spacing_mm=self._spacing,
            tolerance_mm=tolerances(
                classes,
                modality,
                self.tolerance_mm or self._about.get("tolerance_mm") if classes else None,
                self.root,
            ),
            window=self.window,
            licence=str(self._about.get("licence") or "unknown"),
            reference=str(self._about.get("reference") or self._about.get("name") or name),
            corpora=self.corpora_named(self._about, name),
        )

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a case has masks."""
        return any(
            stem_of(path.name) is not None
            for _, place in _parts_below(folder)
            for path in place.glob(f"[!.]*/{_MASKS}/[!.]*")
        )

    @cached_property
    def _folders(self) -> dict[Path, tuple[Part, dict[str, Path]]]:
        """Folder of a case → its part, and its masks by structure."""
        found: dict[Path, tuple[Part, dict[str, Path]]] = {
            masks.parent: (part, volume_files(masks))
            for part, place in _parts_below(self.root)
            for masks in sorted(place.glob(f"[!.]*/{_MASKS}"))
        }
        found = found or {folder: ("train", {}) for folder in self._bare(())}
        if not found:
            raise DataError(f"{self.root}: no <case>/{_MASKS}/ in it.")
        return found

    def _bare(self, known: Collection[Path]) -> Iterator[Path]:
        """Folders for training, beside those that are known, that hold volumes and no masks."""
        for part, place in _parts_below(self.root):
            for folder in sorted(place.glob("[!.]*/")) if part == "train" else ():
                if folder not in known and folder.name != _MASKS and volume_files(folder):
                    yield folder

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        seen = {name for _, masks in self._folders.values() for name in masks}
        for name in self.structures or ():
            if name not in seen:
                raise DataError(f"{self.root}: {unknown('structure', name, seen)}")
        return self.structures or self._authors_order(seen) or tuple(sorted(seen))

    def _authors_order(self, seen: set[str]) -> tuple[str, ...] | None:
        """All structures in the order that lies beside the data; None where there is none.

        Raises:
            DataError: it leaves out a structure that has masks, so that nobody said which wins.
        """
        order = self._about.get("structures")
        origin = self.root / "about.json"
        if order is None and (self.root / "dataset.json").is_file():
            origin = self.root / "dataset.json"
            classes = DatasetJson.read(origin).classes
            order = sorted(classes, key=lambda name: _first(classes[name]))
        if order is None:
            return None
        if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
            raise DataError(f'{origin}: structures: expected ["liver", …], got {order!r}.')
        if left := sorted(seen - {*order}):
            raise DataError(
                f"{origin}: names no place in the order for {', '.join(left[:5])}; add "
                f"{'it' if len(left) == 1 else 'them'}, or set `structures`."
            )
        return tuple(name for name in order if name in seen)

    @cached_property
    def _channels(self) -> tuple[str, ...]:
        """Stems of the image files: what most cases have, so that an odd one is reported."""
        sets = Counter(tuple(volume_files(folder)) for folder in self._folders)
        masks = any(masks for _, masks in self._folders.values())
        stems, count = sets.most_common(1)[0]
        if not masks and 2 * count <= sets.total():  # nor do these folders look like cases
            raise DataError(f"{self.root}: no <case>/{_MASKS}/ in it.")
        found = [stem for stem in stems if stem != _MERGED]
        if self.channels is not None:
            for name in self.channels:
                if name not in found:
                    raise DataError(f"{self.root}: {unknown('channel', name, found)}")
            found = list(self.channels)
        if not found:
            raise DataError(f"{self.root}: no image beside {_MASKS}/ in most cases.")
        return tuple(found)

    @cached_property
    def _found(self) -> dict[Part, list[Case]]:
        found: dict[Part, list[Case]] = {}
        wanted = set(self._classes)
        for folder, (part, masks) in self._folders.items():
            if wanted & set(masks) or not wanted:
                found.setdefault(part, []).append(self._case(folder, masks))
        if wanted and (unlabelled := self._unlabelled()):
            found["unlabelled"] = unlabelled
        return found

    def _unlabelled(self) -> list[Case]:
        """Folders for training that hold every channel and no mask."""
        known = {folder for folder, (_, masks) in self._folders.items() if masks}
        wanted = set(self._channels)
        bare = self._bare(known)
        return [self._case(folder, {}) for folder in bare if wanted <= {*volume_files(folder)}]

    def _case(self, folder: Path, masks: Mapping[str, Path]) -> Case:
        chosen = {structure: masks[structure] for structure in self._classes if structure in masks}
        lying = volume_files(folder)
        return Case(
            id=folder.name,
            images=tuple(lying.get(stem, folder / f"{stem}.nii.gz") for stem in self._channels),
            label=chosen or None,
            patient=folder.name,
            labelled=None if len(chosen) in (0, len(self._classes)) else frozenset(chosen),
        )


def _first(value: int | tuple[int, ...]) -> int:
    return min(value) if isinstance(value, tuple) else value


def _parts_below(root: Path) -> Iterator[tuple[Part, Path]]:
    """The folder itself, for training, and those below it that are called as a part."""
    yield "train", root
    for place in sorted(root.glob("[!.]*/")):
        if part := part_named(place.name):
            yield part, place
