"""Prepared cases on disk: plain arrays that any number of processes map into memory.

A case is a folder `prepared/<key>/` of the cache with `image.npy`, `label.npy` where somebody
labelled it, `raters.npy` where several did, `foreground.npy` and `case.json`, which has their
hashes and its own. It is written under another name and renamed, so that a reader sees all of it or
nothing; of two processes that prepare the same case, the first one wins.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.api import IGNORED, TaskCard
from voxbench.data.content_hash import file_hashes
from voxbench.data.geometry import VoxelGrid
from voxbench.data.volumes import Problem
from voxbench.design.cell import digest
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.versions import OUTSIDE_VERSION
from voxbench.files import hex_digest, remove_leavings, temporary_beside
from voxbench.paths import cache_dir

PREPARED_VERSION = 1
FOREGROUND_SAMPLES = 4096
_MAPPED = 256  # arrays at a time, each an open file, however many cases there are


@dataclass(frozen=True)
class PreparedCase:
    """One case of the cache; its arrays are mapped when they are asked for.

    Attributes:
        id: of the case.
        patient: the person.
        path: folder in the cache. Pickles hold no array, only this path.
    """

    id: str
    patient: str
    path: Path

    @property
    def image(self) -> NDArray[np.float32]:
        """(channel, d, h, w), normalised, read-only memory map."""
        return _mapped(self.path / "image.npy")

    @property
    def label(self) -> NDArray[np.uint8]:
        """(d, h, w) of class indices: 0 is background, `i` the card's i-th class.

        IGNORED everywhere where nobody labelled the case.
        """
        try:
            return _mapped(self.path / "label.npy")
        except FileNotFoundError:
            if self.labelled != frozenset():
                raise
            return np.broadcast_to(np.uint8(IGNORED), self.image.shape[1:])

    @property
    def raters(self) -> dict[str, NDArray[np.uint8]]:
        """Rater → (d, h, w) as `label`, of those who gave one; empty where there is one truth."""
        names = self._facts.get("raters", ())
        return dict(zip(names, _mapped(self.path / "raters.npy"), strict=True)) if names else {}

    @cached_property
    def foreground(self) -> dict[str, NDArray[np.int64]]:
        """Class → flat positions in the label map of up to 4096 of its voxels, at random."""
        stored = np.load(self.path / "foreground.npy")
        return {name: stored[a:b] for name, (a, b) in self._facts["foreground"].items()}

    @cached_property
    def grid(self) -> VoxelGrid:
        """The way back to the native grid."""
        return VoxelGrid.from_json(self._facts["grid"])

    @cached_property
    def outside(self) -> NDArray[np.float32]:
        """(channel,) the value around the volume."""
        return np.array(self._facts["outside"], np.float32)

    @property
    def labelled(self) -> frozenset[str] | None:
        """The annotated classes; None means all."""
        names = self._facts["labelled"]
        return None if names is None else frozenset(names)

    @property
    def present(self) -> frozenset[str]:
        """The classes with at least one voxel in the prepared label map."""
        return frozenset(self._facts["foreground"])

    @property
    def notes(self) -> list[Problem]:
        """What was remarkable but not fatal in the files."""
        return [Problem(self.id, *rest) for _, *rest in self._facts["notes"]]

    @cached_property
    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.path / "case.json").read_text())
        return facts

    def __getstate__(self) -> dict[str, Any]:
        return {"id": self.id, "patient": self.patient, "path": self.path}


@dataclass(frozen=True)
class Prepared:
    """A case before it is stored."""

    image: NDArray[np.float32]
    label: NDArray[np.uint8] | None
    grid: VoxelGrid
    outside: Sequence[float]
    raters: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


def case_key(
    content: str, card: TaskCard, preprocessing: Preprocessing, *, labelled: bool = True
) -> str:
    """Name of a prepared case: a hash over the files' content and all that shapes the arrays.

    What the card says of labels shapes nothing where there is none.
    """
    return digest(
        {
            "version": PREPARED_VERSION,
            "outside": OUTSIDE_VERSION,
            "content": content,
            "channels": len(card.channels),
            "classes": list(card.parts.items()) if labelled else [],
            **({} if card.ignore is None or not labelled else {"ignore": card.ignore}),
            "preprocessing": preprocessing.model_dump(mode="json"),
        }
    )[:32]


def prepared_folder() -> Path:
    """Where prepared cases lie."""
    return cache_dir() / "prepared"


def store_case(
    path: Path,
    prepared: Prepared,
    classes: list[str],
    labelled: frozenset[str] | None,
    notes: list[Problem],
) -> None:
    """Write a case whole or not at all; a damaged one is taken out of its way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, before = temporary_beside(path), temporary_beside(path)
    try:
        temporary.mkdir()
        _write(temporary, prepared, classes, labelled, notes)
        if damaged([path]):
            with suppress(FileNotFoundError):
                path.rename(before)
                _mapped.cache_clear()
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def damaged(folders: Iterable[Path]) -> dict[Path, str]:
    """The stored cases that can't be used as they are, and the file that is not what was stored.

    Hashes are looked up as those of any file are: what nobody touched is not read.

    Raises:
        OSError: a file may not be read.
    """
    told = {folder: _stored_hashes(folder) for folder in folders}
    known = {folder / name: sha for folder, each in told.items() for name, sha in each.items()}
    found = file_hashes(known)
    wrong = {path.parent: path.name for path, sha in known.items() if found.get(path) != sha}
    return {folder: "case.json" for folder, each in told.items() if not each} | wrong


def _stored_hashes(folder: Path) -> Mapping[str, str]:
    """The sha256 of each array as it was stored; none if the facts are not what was stored."""
    try:
        facts = json.loads((folder / "case.json").read_bytes())
        own = facts.pop("sha256")
        hashes: Mapping[str, str] = facts["arrays"] if own == digest(facts) else {}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, AttributeError):
        return {}
    return hashes


def remove_unfinished() -> None:
    """Remove what killed processes left behind."""
    remove_leavings(prepared_folder())


def _write(
    path: Path,
    prepared: Prepared,
    classes: list[str],
    labelled: frozenset[str] | None,
    notes: list[Problem],
) -> None:
    found = {} if prepared.label is None else sample_foreground(prepared.label, classes)
    facts: dict[str, Any] = {
        "grid": prepared.grid.to_json(),
        "outside": prepared.outside,
        "labelled": None if labelled is None else sorted(labelled),
        "foreground": _spans(found),
        "notes": notes,
    }
    if prepared.raters:
        facts["raters"] = list(prepared.raters)
        _save(path / "raters.npy", np.stack([*prepared.raters.values()]))
    positions = np.concatenate([*found.values(), np.empty(0, np.int64)])
    _save(path / "image.npy", prepared.image)
    if prepared.label is not None:
        _save(path / "label.npy", prepared.label)
    _save(path / "foreground.npy", positions)
    facts["arrays"] = {file.name: hex_digest(file) for file in path.glob("*.npy")}
    facts = json.loads(json.dumps(facts))
    with (path / "case.json").open("w") as file:
        json.dump({**facts, "sha256": digest(facts)}, file)
        file.flush()
        os.fsync(file.fileno())


def _save(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())


def sample_foreground(
    label: NDArray[np.uint8], classes: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    """A fixed random sample of the flat positions of every class that a label map holds."""
    inside = np.flatnonzero(label)
    values = label.reshape(-1)[inside]
    random = np.random.default_rng(0)
    found: dict[str, NDArray[np.int64]] = {}
    for index, name in enumerate(classes, start=1):
        positions = inside[values == index]
        if len(positions) > FOREGROUND_SAMPLES:
            positions = np.sort(random.choice(positions, FOREGROUND_SAMPLES, replace=False))
        if len(positions):
            found[name] = positions
    return found


def _spans(found: Mapping[str, NDArray[np.int64]]) -> dict[str, tuple[int, int]]:
    """Where each class begins and ends once its positions lie one after the other."""
    ends = list(accumulate((len(positions) for positions in found.values()), initial=0))
    return dict(zip(found, pairwise(ends), strict=True))


@lru_cache(maxsize=_MAPPED)
def _mapped(path: Path) -> NDArray[Any]:
    # a plain view: slicing np.memmap itself costs ten times the bookkeeping
    return np.asarray(np.load(path, mmap_mode="r"))
