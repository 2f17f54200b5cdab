"""A task whose references are here: twenty volumes with two boxes each."""

from dataclasses import dataclass
from typing import ClassVar

import nibabel
import numpy as np
from voxbench.api import Case, Task, TaskCard

AFFINE = np.diag([1.0, 1.5, 2.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class Boxes(Task):
    volumes: int = 20

    generated: ClassVar[bool] = True

    @property
    def card(self) -> TaskCard:
        return TaskCard(
            name="boxes",
            modality="other",
            channels=("image",),
            classes={"large": 7, "small": 3},
            spacing_mm=None,
            tolerance_mm={"large": 1.5, "small": 1.5},
            licence="CC0-1.0",
            reference="the tests of submissions",
        )

    def cases(self):
        return {"all": [self._case(i) for i in range(self.volumes)]}

    def _case(self, i):
        image, label = (self.root / f"{i:03}_{kind}.nii.gz" for kind in ("image", "label"))
        if not label.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            random = np.random.default_rng(i)
            mask = np.zeros((20, 18, 16), np.uint8)
            x, y = random.integers(2, 6, 2)
            mask[x : x + 8, y : y + 8, 2:8] = 7
            mask[x : x + 6, y : y + 6, 10:14] = 3
            noise = random.normal(mask > 0, 0.5).astype(np.float32)
            nibabel.save(nibabel.Nifti1Image(noise, AFFINE), image)
            nibabel.save(nibabel.Nifti1Image(mask, AFFINE), label)
        return Case(f"b{i:03}", (image,), label, patient=f"p{i:03}")
