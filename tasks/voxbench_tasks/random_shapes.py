"""Shapes of four kinds that mean nothing, to be told from one another by their form alone."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from voxbench.api import Case, Part, Task, TaskCard
from voxbench.toolkit import write_atomically

from voxbench_tasks.phantom.smooth import noise, smooth_field
from voxbench_tasks.phantom.uniform import uniform

GENERATOR_VERSION = 1
SHAPES_PARTS: tuple[Part, ...] = ("train", "validation", "test")
SIDE = 48  # voxels of a volume
SPACING_MM = 1.5
STRETCH = {"blob": (1, 1, 1), "shell": (1, 1, 1), "tube": (0.4, 0.4, 1.6), "plate": (1.2, 1.2, 0.4)}
"""Kind → half axes, in radii of the shape."""

_APART = 16  # voxels between the places of shapes
_HOLLOW = 0.6  # of a shell, in radii
_ROUGHNESS = 0.25  # of surfaces, in radii
_BUMPS_MM = 12.0


@dataclass(frozen=True, kw_only=True)
class RandomShapes(Task):
    """A source without anatomy: rough blobs, shells, tubes and plates of random appearance.

    Places, sizes, directions and roughness are random, as in AnyStar (Dey et al., WACV 2024);
    every kind is as bright as it happens to be in a volume.

    Attributes:
        patients: volumes in the training part; validation and test don't depend on it.
        seed: of all volumes.
    """

    patients: int = 24
    seed: int = 0

    generated: ClassVar[bool] = True
    counts: ClassVar[Mapping[Part, int]] = {"validation": 4, "test": 10}

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of range.
        """
        for name, low in (("patients", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 9999:
                raise ValueError(f"{name} must be a whole number in {low}…9999, got {value!r}")

    @property
    def card(self) -> TaskCard:
        """The card."""
        return TaskCard(
            name="random-shapes",
            modality="MR",
            channels=("MR",),
            classes={name: value for value, name in enumerate(STRETCH, start=1)},
            spacing_mm=(SPACING_MM,) * 3,
            tolerance_mm=dict.fromkeys(STRETCH, SPACING_MM),
            licence="Apache-2.0 (generated)",
            reference="voxbench",
            corpora=("random-shapes",),
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """List the cases by part, drawing those that are not there."""
        counts = {"train": self.patients, **self.counts}
        folder = self.root / f"version{GENERATOR_VERSION}-seed{self.seed}"
        return {
            part: [self._case(folder, part, number) for number in range(counts[part])]
            for part in SHAPES_PARTS
        }

    def _case(self, folder: Path, part: Part, number: int) -> Case:
        name = f"shapes-{part}-{number:04d}"
        image, label = (folder / kind / f"{name}.nii" for kind in ("images", "labels"))
        if not (image.exists() and label.exists()):
            seed = (zlib.crc32(b"random-shapes"), self.seed, SHAPES_PARTS.index(part), number)
            rng = np.random.default_rng(seed)
            shapes = draw_shapes(rng)
            _write_nifti(image, draw_image(rng, shapes))
            _write_nifti(label, shapes)
        return Case(name, (image,), label, name)


def draw_shapes(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A label map (48, 48, 48): at two thirds of the places of a lattice, and more, a shape.

    Of two that meet the earlier one stays whole.
    """
    millimetres = (np.arange(SIDE, dtype=np.float32) - SIDE // 2) * np.float32(SPACING_MM)
    rough = np.float32(_ROUGHNESS) * smooth_field(rng, [millimetres] * 3, _BUMPS_MM)
    label = np.zeros((SIDE,) * 3, np.uint8)
    places = list(product(range(_APART // 2, SIDE, _APART), repeat=3))
    kept = rng.permutation(len(places))[: int(rng.integers(2 * len(places) // 3, len(places) + 1))]
    for place in kept:
        kind = int(rng.integers(len(STRETCH)))
        name, stretch = list(STRETCH.items())[kind]
        radius = uniform(rng, 0.4, 0.6) * _APART
        centre = [side + uniform(rng, -0.25, 0.25) * _APART for side in places[place]]
        halves = [radius * factor for factor in stretch]
        distance = distances(centre, random_rotation(rng), halves) + rough
        inside = (distance < 1) & (label == 0)
        if name == "shell":
            inside &= distance >= _HOLLOW
        label[inside] = kind + 1
    return label


def distances(
    centre: Sequence[float], turn: NDArray[np.float64], halves: Sequence[float]
) -> NDArray[np.float32]:
    """How far each voxel is from a centre, in half axes of a turned ellipsoid: (48, 48, 48).

    One operation at a time, whose rounding is the same on every machine.
    """
    axis = np.arange(SIDE, dtype=np.float32)
    x, y, z = (
        (axis - np.float32(middle)).reshape([-1 if each == number else 1 for each in range(3)])
        for number, middle in enumerate(centre)
    )
    total = np.zeros((SIDE,) * 3, np.float32)
    for column in (turn / halves).astype(np.float32).T:
        along = x * column[0] + y * column[1] + z * column[2]
        total += along * along
    return np.sqrt(total)


def draw_image(rng: np.random.Generator, label: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An image of a label map: a mean and noise for each kind and for what lies between."""
    means = (25 + 200 * rng.random(len(STRETCH) + 1)).astype(np.float32)
    deviations = (5 + 20 * rng.random(len(STRETCH) + 1)).astype(np.float32)
    drawn: NDArray[np.float32] = means[label] + deviations[label] * noise(rng, label.shape, 0.1)
    return drawn


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """A random rotation, of a unit quaternion: (3, 3)."""
    while True:
        found = 2 * rng.random(4) - 1
        w, x, y, z = found
        square = w * w + x * x + y * y + z * z
        if 0.01 < square < 1:
            break
    w, x, y, z = found / np.sqrt(square)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _write_nifti(path: Path, volume: NDArray[Any]) -> None:
    import nibabel

    image = nibabel.Nifti1Image(volume, np.diag([SPACING_MM] * 3 + [1.0]))
    image.header.set_xyzt_units("mm")
    write_atomically(path, image.to_bytes())
