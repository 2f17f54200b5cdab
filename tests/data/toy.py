"""Small volumes on disk and a task made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from voxbench.api import Case, Part, Task, TaskCard

RAS_2MM = np.diag([2.0, 2.0, 2.0, 1.0])
SHAPE = (20, 24, 16)


def card(**changes) -> TaskCard:
    fields = {
        "name": "toy",
        "modality": "MR",
        "channels": ("t1",),
        "classes": {"ball": 1, "box": 4},
        "spacing_mm": (2.0, 2.0, 2.0),
        "tolerance_mm": {"ball": 1.0, "box": 1.0},
        "licence": "none",
        "reference": "none",
    }
    return TaskCard(**{**fields, **changes})


@dataclass(frozen=True, kw_only=True)
class Toy(Task):
    """A task of the given cases."""

    described: TaskCard
    parts: Mapping[Part, Sequence[Case]]

    @property
    def card(self) -> TaskCard:
        return self.described

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        return self.parts


def toy(root: Path, cases: Sequence[Case], **changes) -> Toy:
    return Toy(root=root, described=card(**changes), parts={"all": cases})


def ball(shape: Sequence[int], radius: float, centre: Sequence[float] | None = None) -> np.ndarray:
    middle = centre if centre is not None else [(size - 1) / 2 for size in shape]
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    distance = sum((axis - place) ** 2 for axis, place in zip(axes, middle, strict=True))
    return distance <= radius**2


def volumes(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    """An image (float32) and a label map with a ball (1) and a box (4)."""
    label = np.zeros(shape, np.uint8)
    label[ball(shape, min(shape) / 4)] = 1
    label[2:5, 3:9, 2:6] = 4
    noise = np.random.default_rng(seed).normal(0, 5, shape)
    return (100 + 50 * (label > 0) + noise).astype(np.float32), label


def save(path: Path, array: np.ndarray, affine: np.ndarray = RAS_2MM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def write_case(
    folder: Path,
    name: str,
    image: np.ndarray | None = None,
    label: np.ndarray | None = None,
    affine: np.ndarray = RAS_2MM,
    patient: str | None = None,
) -> Case:
    given = volumes(seed=sum(name.encode()))
    image = given[0] if image is None else image
    label = given[1] if label is None else label
    return Case(
        id=name,
        images=(save(folder / f"{name}.nii.gz", image, affine),),
        label=save(folder / f"{name}_label.nii.gz", label, affine),
        patient=patient or name,
    )


def named(name: str, patient: str | None = None) -> Case:
    """A case without files, for what never opens them."""
    return Case(
        id=name, images=(Path(f"{name}.nii"),), label=Path(f"{name}_l.nii"), patient=patient or name
    )
