"""The grid on which a patient is painted: tissue and HU of every voxel."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from voxbench_tasks.phantom.solids import Floats, Point, Solid
from voxbench_tasks.phantom.tissues import AIR, CODES, TISSUES

RIM = 0.5
GAS_HU = -780.0


class Canvas:
    """A grid of voxels; what is painted first stays, unless a shape is told to paint onto it.

    Attributes:
        tissue: uint8 `(x, y, z)`, codes of `tissues.CODES`.
        hu: float32 `(x, y, z)`.
        points: float32 `(x, y, z)` each: where every voxel lies in the model (mm).
    """

    def __init__(
        self,
        axes: Sequence[Floats],
        points: tuple[Floats, Floats, Floats],
        texture: Floats,
        core: Floats,
        rim: Floats,
    ) -> None:
        """Start with air.

        Args:
            axes: model coordinates (mm) along the axes, before the warp.
            points: the same after it.
            texture: smooth field; gas gathers where it is high.
            core: HU of the inside by tissue code.
            rim: HU of the outer layer.
        """
        self.axes = axes
        self.points = points
        self.texture = texture
        self.core, self.rim = core, rim
        self.tissue: NDArray[np.uint8] = np.full(points[0].shape, AIR, np.uint8)
        self.hu = np.full(points[0].shape, self.core[AIR], np.float32)
        self._margin = [
            float(np.abs(point - axis.reshape([-1 if k == j else 1 for k in range(3)])).max())
            for j, (point, axis) in enumerate(zip(points, axes, strict=True))
        ]

    def fill(self, name: str, where: NDArray[np.bool_]) -> None:
        """Make a whole region one tissue."""
        self.tissue[where] = CODES[name]
        self.hu[where] = self.core[CODES[name]]

    def paint(
        self, name: str, solids: Iterable[Solid], onto: Collection[str], contrast: float = 0
    ) -> None:
        """Paint the union of solids as one tissue.

        Args:
            name: of the tissue.
            solids: in model coordinates.
            onto: tissues that may be painted over.
            contrast: HU added to the tissue's own.
        """
        pieces = [piece for solid in solids for piece in solid.pieces()]
        boxed = [(piece, self._box(*piece.bounds)) for piece in pieces]
        boxed = [(piece, box) for piece, box in boxed if all(p.start < p.stop for p in box)]
        if not boxed:
            return
        box = tuple(
            slice(min(part.start for part in parts), max(part.stop for part in parts))
            for parts in zip(*(box for _, box in boxed), strict=True)
        )
        level = np.full(self.tissue[box].shape, 2, np.float32)
        for piece, part in boxed:
            inner = level[_relative(part, box)]
            x, y, z = (point[part] for point in self.points)
            np.minimum(inner, piece.level(x, y, z), out=inner)
        free = np.zeros(len(TISSUES) + 1, np.bool_)
        free[[CODES[each] for each in onto]] = True
        inside = (level < 1) & free[self.tissue[box]]
        self.tissue[box][inside] = CODES[name]
        values = np.where(level < RIM, self.core[CODES[name]], self.rim[CODES[name]])
        if TISSUES[name].gas:
            values = np.where((level < RIM) & (self.texture[box] > 0.45), GAS_HU, values)
        self.hu[box][inside] = values[inside] + np.float32(contrast)

    def _box(self, low: Point, high: Point) -> tuple[slice, ...]:
        """Voxels between two corners (mm), with room for the warp."""
        box = []
        for axis, margin, a, b in zip(self.axes, self._margin, low, high, strict=True):
            first, step = float(axis[0]), float(axis[1] - axis[0])
            start = min(max(int((a - margin - first) / step), 0), len(axis))
            stop = min(max(int((b + margin - first) / step) + 2, start), len(axis))
            box.append(slice(start, stop))
        return tuple(box)


def _relative(part: tuple[slice, ...], box: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))
