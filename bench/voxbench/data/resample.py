"""Interpolation between two grids over the same box, linear unless it is said."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled, read_only

N = TypeVar("N", bound=np.generic)
VolumeShape = tuple[int, int, int]

_ROUNDING = np.float32(4e-6)
"""Of the largest score: more than two lose when they are interpolated three times, 15 ulp each."""


class LinearTaps(NamedTuple):
    """Where the voxels of one axis lie between those of another: two neighbours and a weight."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float32]

    @property
    def last_needed(self) -> NDArray[np.int64]:
        """The last voxel that each one is made of."""
        return np.where(self.weight > 0, self.right, self.left)

    def within(self, part: slice, start: int, size: int) -> "LinearTaps":
        """Those of a part, in an array that holds `size` voxels from `start` on."""
        right = np.minimum(self.right[part] - start, size - 1)
        return LinearTaps(self.left[part] - start, right, self.weight[part])


Taps = tuple[LinearTaps, LinearTaps, LinearTaps]


def linear_taps(size: int, target: int) -> LinearTaps:
    """Neighbours on an axis of `size` voxels for each of `target` voxels over the same extent."""
    centre = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    left = np.floor(centre).astype(np.int64)
    weight = (centre - left).astype(np.float32)
    return LinearTaps(left, np.minimum(left + 1, size - 1), weight)


def taps_between(shape: Sequence[int], target: Sequence[int]) -> Taps:
    """Those of the three axes of a volume of `shape` for one of `target` in the same box."""
    x, y, z = (linear_taps(size, wanted) for size, wanted in zip(shape, target, strict=True))
    return x, y, z


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
    _vote(read_only(np.ascontiguousarray(label)), *taps_between(label.shape, shape), out)
    return out


def resample_nearest(volume: NDArray[N], shape: VolumeShape) -> NDArray[N]:
    """Resample a volume (d, h, w): at each voxel's centre, the voxel that it lies in."""
    axes = zip(volume.shape, shape, strict=True)
    places = [((np.arange(n) + 0.5) * size / n).astype(int) for size, n in axes]
    return volume[np.ix_(*places)]


def resample_argmax(scores: NDArray[np.float32], taps: Taps) -> NDArray[np.uint8]:
    """Interpolate scores (class, d, h, w) linearly; the class with the largest, lowest on a tie.

    A class that leads by more than rounding at all neighbours of a voxel leads there too.
    """
    out = np.empty([len(axis.left) for axis in taps], np.uint8)
    rounding = _ROUNDING * max(scores.max(), -scores.min())
    _strongest(read_only(np.ascontiguousarray(scores)), *taps, rounding, out)
    return out


def resample_scores(scores: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    """Interpolate scores (class, d, h, w) linearly; a view where no voxel lies between two."""
    own = [_own(axis) for axis in taps]
    if all(own):
        return scores[:, *own]
    out = np.empty([len(scores), *(len(axis.left) for axis in taps)], np.float32)
    _interpolated(read_only(np.ascontiguousarray(scores)), *taps, out)
    return out


def _own(axis: LinearTaps) -> slice | None:
    """The voxels that those of an axis are, one after another; None if they lie between some."""
    first, stop = int(axis.left[0]), int(axis.left[-1]) + 1
    alike = not axis.weight.any() and stop - first == len(axis.left)
    return slice(first, stop) if alike else None


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
    scores: NDArray[np.float32],
    x: LinearTaps,
    y: LinearTaps,
    z: LinearTaps,
    rounding: np.float32,
    out: NDArray[np.uint8],
) -> None:
    classes, _, height, width = scores.shape
    held = np.full(2, -1)  # the rows whose leading classes are known, by their parity
    leading = np.empty((2, height, width), np.int16)
    line = np.empty(width, np.float32)
    undecided = np.empty(out.shape[2], np.int64)
    best = np.empty(out.shape[2], np.float32)
    for i in range(out.shape[0]):
        first, second = x.left[i], x.right[i]
        for row in (first, second):
            if held[row & 1] != row:
                held[row & 1] = row
                _lead(scores[:, row], rounding, leading[row & 1])
        near, far = leading[first & 1], leading[second & 1]
        for j in range(out.shape[1]):
            above, below, count = y.left[j], y.right[j], 0
            rows = near[above], near[below], far[above], far[below]
            for k in range(out.shape[2]):
                a, b = z.left[k], z.right[k]
                value = rows[0][a]
                agreed = value >= 0
                for row in rows:
                    agreed &= (row[a] == value) & (row[b] == value)
                if agreed:  # nearly all voxels lie inside one class
                    out[i, j, k] = value
                else:
                    undecided[count] = k
                    count += 1
            if count == 0:
                continue
            span = slice(z.left[undecided[0]], z.right[undecided[count - 1]] + 1)
            for c in range(classes):
                a00, a01 = scores[c, first, above, span], scores[c, second, above, span]
                a10, a11 = scores[c, first, below, span], scores[c, second, below, span]
                for r in range(len(a00)):
                    a = a00[r] + x.weight[i] * (a01[r] - a00[r])
                    b = a10[r] + x.weight[i] * (a11[r] - a10[r])
                    line[r] = a + y.weight[j] * (b - a)
                for n in range(count):
                    k = undecided[n]
                    a = line[z.left[k] - span.start]
                    a += z.weight[k] * (line[z.right[k] - span.start] - a)
                    if c == 0 or a > best[n]:
                        best[n] = a
                        out[i, j, k] = c


@compiled
def _lead(scores: NDArray[np.float32], least: np.float32, leading: NDArray[np.int16]) -> None:
    """The class (h, w) of a row (class, h, w) that leads by more than `least`, or -1."""
    classes, height, width = scores.shape
    best, second = np.empty(width, np.float32), np.empty(width, np.float32)
    for q in range(height):
        best[:] = scores[0, q]
        second[:] = -np.inf
        leading[q] = 0
        for c in range(1, classes):
            for r in range(width):
                value = scores[c, q, r]
                higher = value > best[r]
                lower = best[r] if higher else value
                second[r] = lower if lower > second[r] else second[r]
                leading[q, r] = c if higher else leading[q, r]
                best[r] = value if higher else best[r]
        for r in range(width):
            if not best[r] - second[r] > least:  # NaN neither
                leading[q, r] = -1


@compiled
def _interpolated(
    scores: NDArray[np.float32],
    x: LinearTaps,
    y: LinearTaps,
    z: LinearTaps,
    out: NDArray[np.float32],
) -> None:
    classes, _, height, width = scores.shape
    plane = np.empty((height, width), np.float32)
    line = np.empty(width, np.float32)
    for c in range(classes):
        for i in range(out.shape[1]):
            for q in range(height):
                for r in range(width):
                    a = scores[c, x.left[i], q, r]
                    plane[q, r] = a + x.weight[i] * (scores[c, x.right[i], q, r] - a)
            for j in range(out.shape[2]):
                for r in range(width):
                    a = plane[y.left[j], r]
                    line[r] = a + y.weight[j] * (plane[y.right[j], r] - a)
                for k in range(out.shape[3]):
                    a = line[z.left[k]]
                    out[c, i, j, k] = a + z.weight[k] * (line[z.right[k]] - a)
