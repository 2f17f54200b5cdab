"""Overlapping windows put together, as far as no further window touches them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from voxbench.predict.layout import Layout


class Block(NamedTuple):
    """Scores of a part of a volume that are final, in the layout's order of axes.

    Attributes:
        scores: (channel, x, y, z) float32; with one voxel of those before it along x and y where
            there are any, so that blocks can be interpolated between them.
        start: voxel of the volume where `scores` begin, along each axis.
        own: voxel where those begin that no block before had.
    """

    scores: Tensor
    start: tuple[int, int, int]
    own: tuple[int, int, int]

    def parts(self, rows: int) -> Iterator["Block"]:
        """The block cut along x, so many rows of its own in each part."""
        first, stop = self.start[0], self.start[0] + self.scores.shape[1]
        for own in range(self.own[0], stop, rows):
            start = max(own - 1, first)
            scores = self.scores[:, start - first : own + rows - first]
            yield Block(scores, (start, *self.start[1:]), (own, *self.own[1:]))


class Stitch:
    """Sums of weighted windows that arrive in the layout's order.

    Held are the sums that a later window adds to: those between a layer of windows along the first
    axis and the next, and of one row of windows along the second. What is final is taken out.

    Args:
        layout: of the windows.
        weight: of a window's voxels, (patch) float32, in the order of the layout.
    """

    def __init__(self, layout: Layout, weight: Tensor) -> None:
        self._x, self._y, self._z = layout.ordered
        self._weight = weight
        self._pieces = self._x.pieces(), self._y.pieces()
        self._channels = 0
        self._sums: dict[tuple[int, int], Tensor] = {}  # the weights' own is the last channel
        self._above: Tensor | None = None  # the last x of the layer before, (channel, y, z)
        self._beside: Tensor | None = None  # the last y of the block before, (channel, x, z)

    def add(self, window: Sequence[int], scores: Tensor) -> None:
        """Add weighted scores (channel, *patch) of the window at these places along the axes."""
        i, j, k = window
        self._channels = len(scores)
        z = self._z.covered(k)
        for x in _inside(self._pieces[0], self._x.covered(i)):
            for y in _inside(self._pieces[1], self._y.covered(j)):
                part = self._x.within(i, x), self._y.within(j, y), self._z.within(k, z)
                sums = self._sum(x, y)
                sums[:-1, ..., z] += scores[(slice(None), *part)]
                sums[-1, ..., z] += self._weight[part]

    def take(self, i: int, j: int) -> Block:
        """The block that is final after the last window at these places along the first axes."""
        x, y = self._x.finished(i), self._y.finished(j)
        start = max(0, x.start - 1), max(0, y.start - 1), 0
        shape = self._channels, x.stop - start[0], y.stop - start[1], self._z.size
        scores = self._weight.new_empty(shape)
        for row in _inside(self._pieces[0], x):
            for column in _inside(self._pieces[1], y):
                sums = self._sums.pop((row.start, column.start))
                a, b = row.start - start[0], column.start - start[1]
                part = scores[:, a : a + sums.shape[1], b : b + sums.shape[2]]
                torch.div(sums[:-1], sums[-1:], out=part)
        self._edge(scores, x, y)
        return Block(scores, start, (x.start, y.start, 0))

    def _edge(self, scores: Tensor, x: slice, y: slice) -> None:
        """Fill in the edges of the blocks before this one, and keep its own for those behind it."""
        if self._above is None:
            self._above = scores.new_empty((len(scores), self._y.size, self._z.size))
        own = scores[:, :, 1:] if y.start else scores
        if x.start:
            own[:, 0] = self._above[:, y]
        self._above[:, y] = own[:, -1]
        if y.start and self._beside is not None:
            scores[:, :, 0] = self._beside
        self._beside = scores[:, :, -1].clone()

    def _sum(self, x: slice, y: slice) -> Tensor:
        key = x.start, y.start
        if key not in self._sums:
            shape = (1 + self._channels, x.stop - x.start, y.stop - y.start, self._z.size)
            self._sums[key] = self._weight.new_zeros(shape)
        return self._sums[key]


def _inside(pieces: Sequence[slice], whole: slice) -> list[slice]:
    return [part for part in pieces if whole.start <= part.start and part.stop <= whole.stop]
