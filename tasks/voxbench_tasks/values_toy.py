"""The controlled data of ValUES: spheres whose outline, or whose kind, is uncertain by design.

Case 1 has blurred borders and three raters who differ there (aleatoric uncertainty alone), case 2
sharp borders and test volumes of other kinds than training had (epistemic alone), cases 3a and 3b
both. Kahl et al., ICLR 2024, section 5.1 and appendix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from voxbench.api import Case, Part, Task, TaskCard
from voxbench.toolkit import write_atomically

from voxbench_tasks.phantom.uniform import uniform

GENERATOR_VERSION = 1
SIDE = 64  # voxels of a volume, each 1 mm
SIZES = (12, 32)  # voxels of an object's diameter, from … to
VISIBLE = 0.1  # what an object is told from the background by
STRICTNESS = (0.1, 0.55, 1.0)
"""Of the voxels that show the object, the share that each of three raters outlines."""

Shift = Literal["grey", "cube", "border"]


class Kind(NamedTuple):
    """How the objects of some volumes are made.

    Attributes:
        name: within the names of the cases.
        volumes: how many.
        sigma: of the blur, in voxels; 0 is a sharp border.
        noisy: whether voxels of the background get random values.
        raters: 1 or 3.
        shift: what differs from training: the object's brightness, its form, or that it lies over
            the border of the volume; None where nothing does.
    """

    name: str
    volumes: int
    sigma: float = 0
    noisy: bool = True
    raters: int = 1
    shift: Shift | None = None


_SHIFTS = (
    Kind("grey", 7, shift="grey"),
    Kind("cube", 7, shift="cube"),
    Kind("border", 7, shift="border"),
    Kind("iid", 21),
)
_BOTH = (Kind("blurred", 100, 8, raters=3), Kind("sharp", 100, raters=3))


@dataclass(frozen=True, kw_only=True)
class ValuesToy(Task):
    """Volumes of 64³ voxels with one object each, the same bytes for the same seed.

    The label is the majority of three raters, each of whom outlines all that the stricter ones do.
    `Case.shift` tells what of the test is out of distribution.
    An object that blur hides (no voxel reaches 0.1) is drawn again; in ValUES its label is a voxel.

    Attributes:
        seed: of all volumes.
    """

    seed: int = 0

    generated: ClassVar[bool] = True
    name: ClassVar[str]
    kinds: ClassVar[Mapping[Part, Sequence[Kind]]]

    def __post_init__(self) -> None:
        """Check the seed.

        Raises:
            ValueError: it is no whole number in range.
        """
        if type(self.seed) is not int or not 0 <= self.seed <= 9999:
            raise ValueError(f"seed must be a whole number in 0…9999, got {self.seed!r}")

    @property
    def card(self) -> TaskCard:
        """The card."""
        return TaskCard(
            name=self.name,
            modality="other",
            channels=("image",),
            classes={"object": 1},
            spacing_mm=(1.0, 1.0, 1.0),
            tolerance_mm={"object": 1.0},
            licence="Apache-2.0 (generated)",
            reference="Kahl et al., ValUES, ICLR 2024 (drawn anew)",
            corpora=(self.name,),
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """List the cases by part, drawing those that are not there."""
        folder = self.root / f"version{GENERATOR_VERSION}-seed{self.seed}"
        found = {
            part: [
                self._case(folder, part, kind, number)
                for kind in kinds
                for number in range(kind.volumes)
            ]
            for part, kinds in self.kinds.items()
        }
        return {part: sorted(cases, key=lambda case: case.id) for part, cases in found.items()}

    def _case(self, folder: Path, part: Part, kind: Kind, number: int) -> Case:
        name = f"{self.name}-{part}-{kind.name}-{number:03d}"
        image = folder / "images" / f"{name}.nii"
        masks = [folder / f"rater{k}" / f"{name}.nii" for k in range(1, kind.raters + 1)]
        if not all(path.exists() for path in (image, *masks)):
            where = crc32(f"{self.name} {part} {kind.name}".encode())
            drawn = draw(np.random.default_rng((where, self.seed, number)), kind)
            _write_nifti(image, drawn.image)
            for path, mask in zip(masks, drawn.masks, strict=True):
                _write_nifti(path, mask)
        raters = {str(k): path for k, path in enumerate(masks, start=1)} if masks[1:] else {}
        return Case(name, (image,), masks[len(masks) // 2], name, raters=raters, shift=kind.shift)


class ValuesToy1(ValuesToy):
    """Case 1, aleatoric: borders are blurred, in training as in the test."""

    name = "values-toy-1"
    kinds: ClassVar = {
        "train": (Kind("iid", 200, 2, False, 3),),
        "test": (Kind("iid", 20, 2, False, 3),),
    }


class ValuesToy2(ValuesToy):
    """Case 2, epistemic: half of the test volumes are of a kind that training never showed."""

    name = "values-toy-2"
    kinds: ClassVar = {"train": (Kind("iid", 200),), "test": _SHIFTS}


class ValuesToy3a(ValuesToy):
    """Case 3a, both: half of the training is blurred, the test is that of case 2."""

    name = "values-toy-3a"
    kinds: ClassVar = {"train": _BOTH, "test": _SHIFTS}


class ValuesToy3b(ValuesToy):
    """Case 3b, both: as 3a, and the test has blurred volumes too."""

    name = "values-toy-3b"
    kinds: ClassVar = {"train": _BOTH, "test": (*_SHIFTS, Kind("blurred", 21, 8, raters=3))}


class Drawn(NamedTuple):
    """A volume.

    Attributes:
        image: (64, 64, 64), 0 to 1.
        masks: (64, 64, 64) of 0 and 1, one a rater; each contains the one before.
    """

    image: NDArray[np.float32]
    masks: list[NDArray[np.uint8]]


def draw(rng: np.random.Generator, kind: Kind) -> Drawn:
    """A volume of a kind."""
    clean = _clean(rng, kind)
    while clean.max() < VISIBLE:
        clean = _clean(rng, kind)
    image = clean.copy()
    if kind.noisy:
        dark = clean < VISIBLE
        values = rng.random((2, *clean.shape))
        image[dark] = np.where(values[0] < 0.5, 0, values[1])[dark]
    return Drawn(image.astype(np.float32), outlines(clean, kind.raters))


def outlines(clean: NDArray[np.float64], raters: int) -> list[NDArray[np.uint8]]:
    """What each rater outlines of an image without noise, the strictest first."""
    visible = clean >= VISIBLE
    if raters == 1:
        return [visible.astype(np.uint8)]
    thresholds = np.quantile(clean, [1 - share * visible.mean() for share in STRICTNESS])
    return [(clean >= threshold).astype(np.uint8) for threshold in thresholds]


def smoothed(volume: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """A Gaussian blur up to 4σ, edges mirrored.

    Weights of 12 digits, and one operation at a time, are the same on every machine.
    """
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights = np.round(weights / (2 * weights.sum() - 1), 12)
    for axis in range(3):
        pad = [(reach, reach) if each == axis else (0, 0) for each in range(3)]
        lines = np.moveaxis(np.pad(volume, pad, "symmetric"), axis, 0)
        size = len(volume)
        total = weights[0] * lines[reach : reach + size]
        for offset in range(1, reach + 1):
            low, high = reach - offset, reach + offset
            total += weights[offset] * (lines[low : low + size] + lines[high : high + size])
        volume = np.moveaxis(total, 0, axis)
    return volume


def _clean(rng: np.random.Generator, kind: Kind) -> NDArray[np.float64]:
    """An object on 0, without noise."""
    size = int(rng.integers(SIZES[0], SIZES[1] + 1))
    over = np.zeros(3, bool)
    while kind.shift == "border" and not over.any():
        over = rng.random(3) < 0.5
    corner = [
        int(rng.integers(-(2 * size // 3), 1) if outside else rng.integers(SIDE - size + 1))
        for outside in over
    ]
    brightness = uniform(rng, 0.5, 0.9) if kind.shift == "grey" else 1.0
    inside = _object(size, corner, cube=kind.shift == "cube")
    volume = brightness * inside.astype(np.float64)
    return smoothed(volume, kind.sigma) if kind.sigma else volume


def _object(size: int, corner: Sequence[int], *, cube: bool) -> NDArray[np.bool_]:
    """A sphere, or a cube, in a box that begins at `corner`."""
    twice = [2 * (np.arange(SIDE) - first) + 1 - size for first in corner]  # from the centre
    x, y, z = np.ix_(*twice)
    inside = (
        np.maximum(np.maximum(abs(x), abs(y)), abs(z)) < size
        if cube
        else x * x + y * y + z * z <= size * size
    )
    return np.asarray(inside, np.bool_)


def _write_nifti(path: Path, volume: NDArray[Any]) -> None:
    import nibabel

    image = nibabel.Nifti1Image(volume, np.eye(4))
    image.header.set_xyzt_units("mm")
    write_atomically(path, image.to_bytes())
