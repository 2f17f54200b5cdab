"""Where the windows of a volume lie, and which of its voxels they share."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from voxbench.data.outside import first_voxel

_SMALL = 2**24  # voxels


class Axis(NamedTuple):
    """Windows along one axis of a volume.

    Attributes:
        size: voxels of the volume.
        side: voxels of a window.
        starts: first voxel of each window, ascending; negative where the volume is the smaller, and
            lies in the middle of the window as in training.
    """

    size: int
    side: int
    starts: tuple[int, ...]

    @classmethod
    def of(cls, size: int, side: int, overlap: float) -> "Axis":
        """Windows whose neighbours share `overlap` of their side, the last one at the end."""
        if size <= side:
            return cls(size, side, (first_voxel(size, side),))
        step = max(1, int(side * (1 - overlap)))
        count = 1 + math.ceil((size - side) / step)
        return cls(size, side, tuple(min(i * step, size - side) for i in range(count)))

    def pieces(self) -> list[slice]:
        """The volume, cut wherever a window begins or ends."""
        ends = {start + self.side for start in self.starts}
        edges = sorted({max(0, min(edge, self.size)) for edge in ends.union(self.starts)})
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def covered(self, window: int) -> slice:
        """Those voxels of the volume that a window covers."""
        start = self.starts[window]
        return slice(max(0, start), min(start + self.side, self.size))

    def within(self, window: int, part: slice) -> slice:
        """A part of the volume, as voxels of a window."""
        start = self.starts[window]
        return slice(part.start - start, part.stop - start)

    def finished(self, window: int) -> slice:
        """Those that it covers, and no later one."""
        start, stop, _ = self.covered(window).indices(self.size)
        last = window + 1 == len(self.starts)
        return slice(start, stop if last else self.starts[window + 1])

    @property
    def pending(self) -> int:
        """Most voxels that a window covers and leaves to the next."""
        shared = (a + self.side - b for a, b in pairwise(self.starts))
        return max(shared, default=0)


class Layout(NamedTuple):
    """Windows over a volume.

    Attributes:
        axes: those of the volume.
        order: of its axes, from the one that windows go along slowest to the fastest.
    """

    axes: tuple[Axis, Axis, Axis]
    order: tuple[int, int, int]

    @classmethod
    def of(cls, shape: Sequence[int], patch: Sequence[int], overlap: float) -> "Layout":
        """Windows of `patch` voxels over a volume.

        What the windows behind and the windows ahead share is held while they go along the slowest
        axis. It is the first one, or in volumes of more than 256³ voxels the one where that is
        least; in small ones the sums keep the order, and so the last bit, that they always had.
        """
        a, b, c = (Axis.of(size, side, overlap) for size, side in zip(shape, patch, strict=True))
        laid = cls((a, b, c), (0, 1, 2))
        if not laid.large:
            return laid
        x, y, z = sorted(range(3), key=lambda i: laid.axes[i].pending / laid.axes[i].size)
        return cls(laid.axes, (x, y, z))

    @property
    def large(self) -> bool:
        """Whether the volume has more than 256³ voxels, so that memory decides how it is run."""
        return math.prod(axis.size for axis in self.axes) > _SMALL

    @property
    def ordered(self) -> tuple[Axis, Axis, Axis]:
        """The axes, slowest first."""
        x, y, z = self.order
        return self.axes[x], self.axes[y], self.axes[z]

    def windows(self) -> Iterator[tuple[int, int, int]]:
        """Places of the windows along `ordered`, in the order in which they run."""
        x, y, z = (range(len(axis.starts)) for axis in self.ordered)
        return ((i, j, k) for i in x for j in y for k in z)

    def corner(self, window: Sequence[int]) -> tuple[int, int, int]:
        """First voxel of the window at these places, along the axes of the volume."""
        found = [0, 0, 0]
        for axis, place in zip(self.order, window, strict=True):
            found[axis] = self.axes[axis].starts[place]
        a, b, c = found
        return a, b, c
