"""A task of bright cubes in noise."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import nibabel
import numpy as np
from voxbench.api import Case, Part, Task, TaskCard
from voxbench.toolkit import write_atomically


@dataclass(frozen=True, kw_only=True)
class Cubes(Task):
    """Ten volumes of 32³ with one cube each."""

    volumes: int = 10

    generated: ClassVar[bool] = True

    @property
    def card(self) -> TaskCard:
        return TaskCard(
            name="example-cubes",
            modality="other",
            channels=("image",),
            classes={"cube": 1},
            spacing_mm=(1.0, 1.0, 1.0),
            tolerance_mm={"cube": 1.0},
            licence="CC0-1.0",
            reference="voxbench's example plugin",
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        return {"all": [self._case(i) for i in range(self.volumes)]}

    def _case(self, i: int) -> Case:
        image, label = (self.root / f"{i:03}_{kind}.nii.gz" for kind in ("image", "label"))
        if not label.exists():
            random = np.random.default_rng(i)
            mask = np.zeros((32, 32, 32), np.uint8)
            x, y, z = random.integers(2, 18, 3)
            mask[x : x + 12, y : y + 12, z : z + 12] = 1
            voxels = (mask + random.normal(0, 0.5, mask.shape)).astype(np.float32)
            write(image, voxels)
            write(label, mask)
        return Case(f"{i:03}", (image,), label, patient=f"{i:03}")


def write(path: Path, voxels: np.ndarray) -> None:
    """Write a volume whole or not at all: several processes may do so at the same time."""
    volume = nibabel.Nifti1Image(voxels, np.eye(4))
    write_atomically(path, gzip.compress(volume.to_bytes(), mtime=0))
