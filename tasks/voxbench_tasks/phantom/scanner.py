"""A scanner: grid, field of view, kernel and noise."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench_tasks.phantom.patient import Patient
from voxbench_tasks.phantom.smooth import blur, noise
from voxbench_tasks.phantom.solids import Floats, Point
from voxbench_tasks.phantom.tissues import Phase
from voxbench_tasks.phantom.uniform import uniform

MIDDLE_MM = -8.0


class Scan(NamedTuple):
    """One acquisition.

    Attributes:
        hu: int16 `(i, j, k)` in the scanner's own orientation.
        tissue: uint8, same shape.
        affine: voxel → RAS mm.
    """

    hu: NDArray[np.int16]
    tissue: NDArray[np.uint8]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Scanner:
    """How a patient becomes an image.

    Attributes:
        spacing_mm: of the voxels.
        flipped: axes that are stored from right to left, front to back, head to feet.
        kernel: weight of each neighbour in the point spread (0 sharp … 0.25 smooth).
        noise_hu: deviation of the noise.
        grain: correlation of the noise (0 white … 0.3 coarse).
        offset_hu: error of calibration.
        field_mm: width and depth of the field of view.
    """

    spacing_mm: Point
    flipped: tuple[bool, bool, bool]
    kernel: float
    noise_hu: float
    grain: float
    offset_hu: float = 0.0
    field_mm: tuple[float, float] = (352.0, 260.0)

    def scan(
        self, patient: Patient, phase: Phase, z_mm: tuple[float, float], seed: tuple[int, ...]
    ) -> Scan:
        """Acquire a patient between two heights (mm above the model's origin)."""
        rng = np.random.default_rng(seed)
        axes = self._axes(z_mm, rng)
        canvas = patient.painted(axes, phase)
        dose = self.noise_hu * uniform(rng, 0.75, 1.3)
        hu = blur(canvas.hu, self.kernel) + dose * noise(rng, canvas.hu.shape, self.grain)
        hu = np.clip(np.rint(hu + self.offset_hu), -1024, 3071).astype(np.int16)
        flip = tuple(slice(None, None, -1 if flipped else 1) for flipped in self.flipped)
        return Scan(hu[flip], canvas.tissue[flip], self._affine(axes))

    def _axes(self, z_mm: tuple[float, float], rng: np.random.Generator) -> list[Floats]:
        size = (*self.field_mm, z_mm[1] - z_mm[0])
        low = (-size[0] / 2, MIDDLE_MM - size[1] / 2, z_mm[0])
        moved = [start + int(rng.integers(-6, 7)) for start in low]
        return [
            np.float32(start) + np.float32(step) * np.arange(int(extent / step), dtype=np.float32)
            for start, extent, step in zip(moved, size, self.spacing_mm, strict=True)
        ]

    def _affine(self, axes: list[Floats]) -> NDArray[np.float64]:
        affine = np.eye(4)
        for j, (axis, step) in enumerate(zip(axes, self.spacing_mm, strict=True)):
            affine[j, j] = -step if self.flipped[j] else step
            affine[j, 3] = axis[-1 if self.flipped[j] else 0]
        return affine
