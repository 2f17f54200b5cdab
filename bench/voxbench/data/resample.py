"""Interpolation between two grids over the same box, linear unless it is said."""

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled, read_only

N = TypeVar("N", bound=np.generic)
VolumeShape = tuple[int, int, int]


class LinearTaps(NamedTuple):
    """Where the voxels of one axis lie between those of another: two neighbours and a weight."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float32]


def linear_taps(size: int, target: int) -> LinearTaps:
    """Neighbours on an axis of `size` voxels for each of `target` voxels over the same extent."""
    centre = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    left = np.floor(centre).astype(np.int64)
    weight = (centre - left).astype(np.float32)
    return LinearTaps(left, np.minimum(left + 1, size - 1), weight)


def resample_image(image: NDArray[np.float32], shape: VolumeShape) -> NDArray[np.float32]:
    """Resample an image (d, h, w) linearly, one axis after the other, shrinking ones first."""
    for axis in sorted(range(3), key=lambda axis: shape[axis] / image.shape[axis]):
        if shape[axis] == image.shape[axis]:
            continue
        left, right, weight = linear_taps(image.shape[axis], shape[axis])
        weight = weight.reshape([-1 if other == axis else 1 for other in range(3)])
        first, second = image.take(left, axis), image.take(right, axis)
        second -= first
        second *= weight
        first += second
        image = first
    return image


def resample_labels(label: NDArray[np.uint8], shape: VolumeShape) -> NDArray[np.uint8]:
    """Resample a label map (d, h, w): the class with the largest linear weight, lowest on a tie."""
    if label.shape == shape:
        return label
    out = np.empty(shape, np.uint8)
    x, y, z = (linear_taps(size, target) for size, target in zip(label.shape, shape, strict=True))
    _vote(read_only(np.ascontiguousarray(label)), x, y, z, out)
    return out


def resample_nearest(volume: NDArray[N], shape: VolumeShape) -> NDArray[N]:
    """Resample a volume (d, h, w): at each voxel's centre, the voxel that it lies in."""
    axes = zip(volume.shape, shape, strict=True)
    places = [((np.arange(n) + 0.5) * size / n).astype(int) for size, n in axes]
    return volume[np.ix_(*places)]


def resample_argmax(scores: NDArray[Any], shape: VolumeShape) -> NDArray[np.uint8]:
    """Resample scores (class, d, h, w) linearly; the class with the largest, lowest on a tie."""
    out = np.empty(shape, np.uint8)
    x, y, z = (
        linear_taps(size, target) for size, target in zip(scores.shape[1:], shape, strict=True)
    )
    _strongest(read_only(np.ascontiguousarray(scores, np.float32)), x, y, z, out)
    return out


@compiled
def _vote(
    label: NDArray[np.uint8], x: LinearTaps, y: LinearTaps, z: LinearTaps, out: NDArray[np.uint8]
) -> None:
    seen = np.empty(8, np.uint8)
    weights = np.empty(8, np.float32)
    for i in range(out.shape[0]):
        first, second = label[x.left[i]], label[x.right[i]]
        for j in range(out.shape[1]):
            rows = (first[y.left[j]], first[y.right[j]], second[y.left[j]], second[y.right[j]])
            for k in range(out.shape[2]):
                a, b = z.left[k], z.right[k]
                value = rows[0][a]
                same = rows[0][b] == value
                for row in rows:
                    same &= (row[a] == value) & (row[b] == value)
                if same:  # nearly all voxels lie inside one class
                    out[i, j, k] = value
                    continue
                found = 0
                for corner in range(8):
                    weight = x.weight[i] if corner & 4 else 1 - x.weight[i]
                    weight *= y.weight[j] if corner & 2 else 1 - y.weight[j]
                    weight *= z.weight[k] if corner & 1 else 1 - z.weight[k]
                    value = rows[corner >> 1][b if corner & 1 else a]
                    slot = 0
                    while slot < found and seen[slot] != value:
                        slot += 1
                    if slot == found:
                        seen[slot] = value
                        weights[slot] = 0
                        found += 1
                    weights[slot] += weight
                best = 0
                for slot in range(1, found):
                    heavier = weights[slot] > weights[best]
                    tied = weights[slot] == weights[best] and seen[slot] < seen[best]
                    if heavier or tied:
                        best = slot
                out[i, j, k] = seen[best]


@compiled
def _strongest(
    scores: NDArray[np.float32], x: LinearTaps, y: LinearTaps, z: LinearTaps, out: NDArray[np.uint8]
) -> None:
    classes, _, height, width = scores.shape
    plane = np.empty((classes, height, width), np.float32)
    line = np.empty(width, np.float32)
    best = np.empty(out.shape[2], np.float32)
    for i in range(out.shape[0]):
        for c in range(classes):
            for q in range(height):
                for r in range(width):
                    a = scores[c, x.left[i], q, r]
                    plane[c, q, r] = a + x.weight[i] * (scores[c, x.right[i], q, r] - a)
        for j in range(out.shape[1]):
            for c in range(classes):
                for r in range(width):
                    a = plane[c, y.left[j], r]
                    line[r] = a + y.weight[j] * (plane[c, y.right[j], r] - a)
                for k in range(out.shape[2]):
                    a = line[z.left[k]]
                    value = a + z.weight[k] * (line[z.right[k]] - a)
                    if c == 0 or value > best[k]:
                        best[k] = value
                        out[i, j, k] = c
