"""Rotation and scaling of training patches, pulled straight from the case.

A box of the case that holds all that a moved patch sees is cropped first and moved then: what a
patch shows beyond its own corners is the case, and only what lies outside the case is filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, pi

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled, read_only
from voxbench.data.cache import PreparedCase
from voxbench.data.outside import copy_window

CHANCE = 0.2
"""Of a rotation, and of a scaling."""
ANGLE, FLAT_ANGLE = pi / 6, pi
"""Of a turn about any axis, and in the plane of thick slices, at most."""
SCALES = (0.7, 1.4)
THICK = 3.0
"""From so many times the next largest side of a voxel on, slices are thick (nnU-Net's rule)."""


def thick_axis(spacing_mm: Sequence[float]) -> int | None:
    """The axis across thick slices, None where there are none.

    Args:
        spacing_mm: voxel size along each axis.
    """
    *_, next_largest, largest = sorted(spacing_mm)
    thick = round(largest / next_largest, 3) >= THICK  # headers hold 32-bit floats
    return spacing_mm.index(largest) if thick else None


@dataclass(frozen=True)
class Moves:
    """How the patches of a stream are turned and scaled: a pure function of seed and step.

    nnU-Net v2's `SpatialTransform` by default: one patch of five is turned by up to 30° about each
    axis, one of five shows 0.7 to 1.4 times its own width, each by itself, uniformly. Where slices
    are thick, each is turned and scaled in its plane, by up to 180° (its "dummy 2D").

    Attributes:
        seed: of the stream.
        rotation: whether patches are turned.
        scaling: whether they are scaled.
        thick: axis along which nothing moves; None moves in all three.
    """

    seed: int
    rotation: bool = True
    scaling: bool = True
    thick: int | None = None

    def matrix(self, step: int, slot: int) -> NDArray[np.float64] | None:
        """Offset from a patch's centre → where it is pulled from, both in voxels; None stays."""
        random = np.random.default_rng([self.seed, step, slot, 4])
        turned, scaled = (random.random(2) < CHANCE) & [self.rotation, self.scaling]
        largest = ANGLE if self.thick is None else FLAT_ANGLE
        angles, scale = random.uniform(-largest, largest, 3), random.uniform(*SCALES)
        if not (turned or scaled):
            return None
        scales = np.full(3, scale if scaled else 1.0)
        if self.thick is not None:
            angles[np.arange(3) != self.thick] = 0
            scales[self.thick] = 1
        matrix: NDArray[np.float64] = _rotation(angles * turned) * scales
        return matrix


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """A turn about the first axis, then about the second, then about the third."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        i, j = (other for other in range(3) if other != axis)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def copy_moved(
    case: PreparedCase,
    truth: NDArray[np.uint8],
    corner: Sequence[int],
    matrix: NDArray[np.float64],
    images: NDArray[np.float32],
    labels: NDArray[np.uint8],
) -> None:
    """Copy a patch of a case that is turned and scaled about its centre.

    Images are interpolated linearly; a voxel has the class with the largest linear weight. Around
    the case lie its value outside, and background.

    Args:
        case: what is copied from.
        truth: (d, h, w), its label map.
        corner: first voxel of the patch if it were not moved.
        matrix: from `Moves`.
        images: (channel, d, h, w) that is written.
        labels: (d, h, w) that is written.
    """
    half = (np.array(labels.shape) - 1) / 2
    centre, reach = corner + half, np.abs(matrix) @ half
    first = [floor(place) for place in centre - reach]
    sides = [ceil(end) + 2 - begin for end, begin in zip(centre + reach, first, strict=True)]
    image, label = np.empty((len(images), *sides), np.float32), np.empty(sides, np.uint8)
    for out, channel, value in zip(image, case.image, case.outside, strict=True):
        copy_window(channel, first, out, value)
    copy_window(truth, first, label, 0)
    start = centre - first - matrix @ half
    _pull(read_only(image), read_only(label), read_only(matrix), read_only(start), images, labels)


@compiled
def _pull(
    image: NDArray[np.float32],
    label: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    start: NDArray[np.float64],
    moved: NDArray[np.float32],
    classes: NDArray[np.uint8],
) -> None:
    """Pull each voxel from `matrix @ voxel + start`, which lies in the box."""
    values, weights = np.empty(8, np.uint8), np.empty(8, np.float32)
    for i in range(classes.shape[0]):
        for j in range(classes.shape[1]):
            row_x = start[0] + matrix[0, 0] * i + matrix[0, 1] * j
            row_y = start[1] + matrix[1, 0] * i + matrix[1, 1] * j
            row_z = start[2] + matrix[2, 0] * i + matrix[2, 1] * j
            for k in range(classes.shape[2]):
                x = row_x + matrix[0, 2] * k
                y = row_y + matrix[1, 2] * k
                z = row_z + matrix[2, 2] * k
                # unsigned, so that the compiled code need not look for negative indices
                x0, y0, z0 = np.uint32(x), np.uint32(y), np.uint32(z)
                x1, y1, z1 = np.uint32(x0 + 1), np.uint32(y0 + 1), np.uint32(z0 + 1)
                u, v, w = np.float32(x - x0), np.float32(y - y0), np.float32(z - z0)
                for c in range(len(image)):
                    a, b = image[c, x0, y0, z0], image[c, x0, y1, z0]
                    d, e = image[c, x1, y0, z0], image[c, x1, y1, z0]
                    a += w * (image[c, x0, y0, z1] - a)
                    b += w * (image[c, x0, y1, z1] - b)
                    d += w * (image[c, x1, y0, z1] - d)
                    e += w * (image[c, x1, y1, z1] - e)
                    a += v * (b - a)
                    d += v * (e - d)
                    moved[c, i, j, k] = a + u * (d - a)
                value = label[x0, y0, z0]
                other = value ^ label[x0, y0, z1] | value ^ label[x0, y1, z0]
                other |= value ^ label[x0, y1, z1] | value ^ label[x1, y0, z0]
                other |= value ^ label[x1, y0, z1] | value ^ label[x1, y1, z0]
                other |= value ^ label[x1, y1, z1]
                if other:  # nearly all voxels lie inside one class
                    for corner in range(8):
                        weight = u if corner & 4 else 1 - u
                        weight *= v if corner & 2 else 1 - v
                        weight *= w if corner & 1 else 1 - w
                        weights[corner] = weight
                        values[corner] = label[
                            x0 + (corner >> 2), y0 + (corner >> 1 & 1), z0 + (corner & 1)
                        ]
                    value = _heaviest(values, weights)
                classes[i, j, k] = value


@compiled
def _heaviest(values: NDArray[np.uint8], weights: NDArray[np.float32]) -> np.uint8:
    """The value with the largest sum of weights, the first on a tie."""
    best: np.uint8 = values[0]
    most = np.float32(0)
    for value in values:
        total = np.float32(0)
        for other, weight in zip(values, weights):  # noqa: B905 (compiled)
            if other == value:
                total += weight
        if total > most:
            best, most = value, total
    return best
