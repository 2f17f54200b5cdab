"""Scores on the prepared grid, brought to the native one block by block."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxbench.data.geometry import VoxelGrid
from voxbench.data.resample import LinearTaps, Taps, resample_argmax, resample_scores, taps_between
from voxbench.predict.layout import Layout
from voxbench.predict.stitch import Block

T = TypeVar("T")

Box = tuple[slice, slice, slice]

_AT_ONCE = 2**21  # scores that are interpolated at a time


class NativeBlock(NamedTuple):
    """A block of scores, and the native voxels that it suffices for.

    Attributes:
        scores: (channel, x, y, z) on the prepared grid, in the layout's order of axes.
        taps: of the native voxels along these axes, within `scores`.
        first: of the native voxels, along these axes.
        order: which axis of the volume each of these is.
    """

    scores: Tensor
    taps: Taps
    first: tuple[int, int, int]
    order: tuple[int, int, int]

    def strongest(self) -> tuple[Box, NDArray[np.uint8]]:
        """The channel with the largest interpolated score, the lowest of equals, and where.

        Returns:
            Voxels of the crop, and (d, h, w) of channels.
        """
        if self.scores.device.type == "cpu":
            found = resample_argmax(self.scores.numpy(), self.taps)
        else:
            parts = [part.argmax(dim=0).to(torch.uint8) for _, part in self._parts()]
            found = torch.cat(parts).cpu().numpy()
        return self._box(0, len(found)), found.transpose(np.argsort(self.order))

    def interpolated(self) -> Iterator[tuple[Box, Tensor]]:
        """Voxels of the crop and their scores (channel, d, h, w), some at a time, on the device."""
        back = (0, *(1 + int(axis) for axis in np.argsort(self.order)))
        for row, part in self._parts():
            yield self._box(row, part.shape[1]), part.permute(back)

    def _parts(self) -> Iterator[tuple[int, Tensor]]:
        """Rows of native voxels along x: the first, and scores (channel, rows, y, z)."""
        x, y, z = self.taps
        count = max(1, _AT_ONCE // (len(self.scores) * len(y.left) * len(z.left)))
        for row in range(0, len(x.left), count):
            rows = x.within(slice(row, row + count), 0, self.scores.shape[1])
            if self.scores.device.type == "cpu":
                yield row, torch.from_numpy(resample_scores(self.scores.numpy(), (rows, y, z)))
                continue
            part = self.scores
            for axis, taps in enumerate((rows, y, z), start=1):
                part = interpolate(part, axis, taps)
            yield row, part

    def _box(self, row: int, rows: int) -> Box:
        sizes = rows, len(self.taps[1].left), len(self.taps[2].left)
        starts = self.first[0] + row, *self.first[1:]
        found = [slice(0)] * 3
        for axis, start, size in zip(self.order, starts, sizes, strict=True):
            found[axis] = slice(start, start + size)
        a, b, c = found
        return a, b, c


def to_native(blocks: Iterable[Block], layout: Layout, grid: VoxelGrid) -> Iterator[NativeBlock]:
    """The native voxels of a crop that each block of scores suffices for, all of them once."""
    sizes = [axis.size for axis in layout.ordered]
    whole = taps_between(sizes, [grid.cropped[axis] for axis in layout.order])
    needed = [taps.last_needed for taps in whole]
    for block in blocks:
        first, taps = [], []
        for along, last, own, start, held in zip(
            whole, needed, block.own, block.start, block.scores.shape[1:], strict=True
        ):
            a, b = np.searchsorted(last, [own, start + held])
            first.append(int(a))
            taps.append(along.within(slice(int(a), int(b)), start, held))
        if all(len(part.left) for part in taps):
            yield NativeBlock(block.scores, _three(taps), _three(first), layout.order)


def interpolate(scores: Tensor, axis: int, taps: LinearTaps) -> Tensor:
    """Scores at the taps of an axis, rounded as the kernel of the processor rounds."""
    left, right, weight = (torch.from_numpy(values).to(scores.device) for values in taps)
    shape = [-1 if other == axis else 1 for other in range(scores.dim())]
    first = scores.index_select(axis, left)
    return scores.index_select(axis, right).sub_(first).mul_(weight.view(shape)).add_(first)


def _three(values: list[T]) -> tuple[T, T, T]:
    a, b, c = values
    return a, b, c
