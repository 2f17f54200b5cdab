"""A case's files as one image and one label map, with everything that is wrong with them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.api import IGNORED, Case, TaskCard
from voxbench.data.image import read_image
from voxbench.data.label_map import label_values, read_label_map
from voxbench.data.nifti import Volume, voxels_apart
from voxbench.errors import DataError

NOTES = frozenset({"empty label", "overlapping masks", "unsure geometry", "constant channel"})


class Problem(NamedTuple):
    """Something wrong with a file of a case.

    Attributes:
        case: its id.
        file: the file's name.
        kind: missing file, corrupt file, changed file, channels, shape mismatch, affine mismatch,
            not finite, constant image, label out of range, empty label, overlapping masks, unsure
            geometry, constant channel, partly labelled, or in two parts (of the split, by look).
        detail: what was found.
    """

    case: str
    file: str
    kind: str
    detail: str

    @property
    def fatal(self) -> bool:
        """Whether the case can't be used; the others are notes."""
        return self.kind not in NOTES


class CaseVolumes(NamedTuple):
    """A case in the axes of its files.

    Attributes:
        image: (channel, d, h, w) float32, in the order of the card.
        label: (d, h, w) uint8 of class indices: 0 is background, `i` the card's i-th class; None
            where nobody labelled the case.
        affine: of all.
        raters: rater → (d, h, w) as `label`; of those who gave one.
    """

    image: NDArray[np.float32]
    label: NDArray[np.uint8] | None
    affine: NDArray[np.float64]
    raters: Mapping[str, NDArray[np.uint8]] = MappingProxyType({})


class CaseReader:
    """Reads one case and collects its problems instead of stopping at the first."""

    def __init__(self, case: Case, card: TaskCard) -> None:
        self.case = case
        self.card = card
        self.problems: list[Problem] = []

    @property
    def usable(self) -> bool:
        """Whether nothing fatal was found so far."""
        return not any(problem.fatal for problem in self.problems)

    def read(self) -> CaseVolumes | None:
        """Image and label map, or None where something fatal is wrong."""
        image = self._image()
        if self.case.label is None:
            return CaseVolumes(image.array, None, image.affine) if image and self.usable else None
        label = self.label(image)
        raters = {name: drawn.array for name, drawn in self.raters(image).items()}
        if image is None or label is None or not self.usable:
            return None
        return CaseVolumes(image.array, label.array, image.affine, raters)

    def label(self, like: Volume | None = None) -> Volume | None:
        """The label map of class indices, on the same grid as `like`, or None."""
        if isinstance(self.case.label, Path):
            label = self._map(self.case.label, like)
        else:
            label = self._merged(like)
        if self.card.has_regions and self.case.labelled is not None:
            detail = "a task of regions needs all of them annotated in every case"
            self._note(self._label_file, "partly labelled", detail)
        if label is not None and not label.array.any():
            self._note(self._label_file, "empty label", "no voxel of any class")
        return label

    def raters(self, like: Volume | None = None) -> dict[str, Volume]:
        """The label map of class indices of each rater who gave one, on the same grid as `like`."""
        given = {name: path for name, path in self.case.raters.items() if path is not None}
        found = {name: self._map(path, like) for name, path in given.items()}
        return {name: drawn for name, drawn in found.items() if drawn is not None}

    @property
    def _label_file(self) -> Path:
        label = self.case.label
        return label if isinstance(label, Path) else Path("segmentations")

    def _note(self, file: Path, kind: str, detail: str) -> None:
        self.problems.append(Problem(self.case.id, file.name, kind, detail))

    def _open(self, path: Path, reader: Callable[[Path], Volume]) -> Volume | None:
        try:
            return reader(path)
        except DataError as error:
            kind = "corrupt file" if path.exists() else "missing file"
            self._note(path, kind, str(error).removeprefix(f"{path}: "))
            return None

    def _image(self) -> Volume | None:
        found: list[Volume] = []
        for path in self.case.images:
            image = self._open(path, partial(read_image, frame=self.case.frame))
            if image is None:
                continue
            channels = image.array if image.array.ndim == 4 else image.array[None]
            if image.doubt:
                self._note(path, "unsure geometry", image.doubt)
            image = Volume(channels, image.affine)
            self._check_values(path, channels)
            if not found or self._same_grid(path, image, found[0]):
                found.append(image)
        if len(found) < len(self.case.images) or not found:
            return None
        array = np.concatenate([image.array for image in found]) if found[1:] else found[0].array
        if len(array) != len(self.card.channels):
            detail = f"{len(array)} channels, the task has {len(self.card.channels)}"
            self._note(self.case.images[0], "channels", detail)
        return Volume(array, found[0].affine)

    def _check_values(self, path: Path, channels: NDArray[np.float32]) -> None:
        for index, channel in enumerate(channels):
            low, high = float(channel.min()), float(channel.max())  # NaN and inf show in these
            where = f"channel {index}: " if len(channels) > 1 else ""
            if not (np.isfinite(low) and np.isfinite(high)):
                bad = int(np.count_nonzero(~np.isfinite(channel)))
                self._note(path, "not finite", f"{where}{bad} voxels are NaN or infinite")
            elif low == high:
                self._note(path, "constant image", f"{where}every voxel is {low:g}")

    def _same_grid(self, path: Path, volume: Volume, like: Volume) -> bool:
        shape, other = volume.array.shape[-3:], like.array.shape[-3:]
        if shape != other:
            self._note(path, "shape mismatch", f"{shape}, the image has {other}")
            return False
        apart = voxels_apart(volume, like)
        if apart > 0.5:
            self._note(path, "affine mismatch", f"{apart:.1f} voxels away from the image")
            return False
        return True

    def _drawn(self, path: Path) -> Volume:
        return read_label_map(path, beside=self.case.images[0], frame=self.case.frame)

    def _map(self, path: Path, like: Volume | None) -> Volume | None:
        label = self._open(path, self._drawn)
        if label is None or (like is not None and not self._same_grid(path, label, like)):
            return None
        ignored = set() if self.card.ignore is None else {self.card.ignore}
        known = {0, *self.card.parts.values(), *ignored}
        if strange := [value for value in label_values(label.array) if value not in known]:
            detail = f"values {_few(strange)}, the task has {_few(sorted(known))}"
            self._note(path, "label out of range", detail)
            return None
        return Volume(self._indices(label.array), label.affine)

    def _indices(self, array: NDArray[Any]) -> NDArray[np.uint8]:
        table = np.zeros(1 + max(self.card.ignore or 0, *self.card.parts.values()), np.uint8)
        for index, value in enumerate(self.card.parts.values(), start=1):
            table[value] = index
        if self.card.ignore is not None:
            table[self.card.ignore] = IGNORED
        indices: NDArray[np.uint8] = table[array]
        return indices

    def _merged(self, like: Volume | None) -> Volume | None:
        """One label map of several masks; where they overlap, the later class wins."""
        masks = self.case.label or {}
        assert not isinstance(masks, Path)  # noqa: S101 (narrows the type)
        if not masks:
            self._note(self._label_file, "missing file", "no mask of any class")
        merged: Volume | None = None
        overlapping = 0
        for index, name in enumerate(self.card.classes, start=1):
            mask = self._mask(masks[name], like) if name in masks else None
            if mask is None:
                continue
            like = like or mask
            merged = merged or Volume(np.zeros(mask.array.shape, np.uint8), like.affine)
            inside = mask.array > 0
            overlapping += int(np.count_nonzero(merged.array[inside]))
            merged.array[inside] = index
        if overlapping:
            detail = (
                f"{overlapping} voxels lie in several; the later of {_few([*self.card.classes])} "
                "keeps them"
            )
            self._note(self._label_file, "overlapping masks", detail)
        return merged

    def _mask(self, path: Path, like: Volume | None) -> Volume | None:
        mask = self._open(path, self._drawn)
        if mask is None or not self._same_grid(path, mask, like or mask):
            return None
        low, high = int(mask.array.min()), int(mask.array.max())
        if low < 0 or high > 1:
            detail = f"a mask holds 0 and 1, found {low} … {high}"
            self._note(path, "label out of range", detail)
            return None
        return mask


def read_reference(case: Case, card: TaskCard) -> Volume:
    """The label map that a prediction is scored against, on the native grid.

    Returns:
        (d, h, w) uint8 of class indices (the card's i-th part is `i`; `IGNORED` where nobody
        annotated), and the affine.

    Raises:
        DataError: the files of the label are missing or broken.
    """
    reader = CaseReader(case, card)
    label = reader.label()
    if label is None or not reader.usable:
        raise _unusable(reader)
    return label


def read_raters(case: Case, card: TaskCard, like: Volume) -> dict[str, Volume]:
    """What each rater who annotated a case says of it, as `read_reference`, whose map is `like`.

    Raises:
        DataError: a file is missing or broken, or lies on another grid.
    """
    reader = CaseReader(case, card)
    raters = reader.raters(like)
    if not reader.usable:
        raise _unusable(reader)
    return raters


def _unusable(reader: CaseReader) -> DataError:
    told = (f"{p.case}: {p.file}: {p.kind}: {p.detail}" for p in reader.problems if p.fatal)
    return DataError("; ".join(told))


def _few(values: Sequence[object]) -> str:
    return ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")
