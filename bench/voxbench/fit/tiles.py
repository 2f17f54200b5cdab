"""Windows that tile the volumes of several cases, and a sample of them that stands for all."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.data.cache import PreparedCase
from voxbench.predict.layout import Axis

Chances = NDArray[np.float64]
"""(tile,) probabilities of being drawn."""


class Tile(NamedTuple):
    """A window of a case.

    Attributes:
        case: its place among the cases.
        corner: first voxel, negative where the case is smaller than the window.
        own: the voxels of the case that count here, and in no other of its windows.
        weight: how many tiles it stands for, one over its probability of being drawn.
    """

    case: int
    corner: tuple[int, ...]
    own: tuple[slice, ...]
    weight: float = 1.0


def draw_tiles(
    cases: Sequence[PreparedCase],
    classes: Sequence[str],
    patch: tuple[int, int, int],
    most: int,
    seed: int,
) -> list[Tile]:
    """At most so many of the tiles of some cases, whose weighted counts estimate those of all.

    All where there are no more. Else half of them are drawn evenly and half by what they hold of
    the structures, each class alike; counts that are weighted by one over the probability are right
    on average (Horvitz and Thompson, JASA 1952). They are taken at even steps along the list
    (Madow, Ann. Math. Stat. 1949), and so from all cases.

    Args:
        cases: gives the volumes and where their structures are.
        classes: of the structures.
        patch: voxels of a window along each axis.
        most: how many.
        seed: of the draw.
    """
    axes = [_axes(case, patch) for case in cases]
    every = [tile for place, own in enumerate(axes) for tile in _tiles(place, own)]
    held = [_held(case, own, classes) for case, own in zip(cases, axes, strict=True)]
    chances = inclusion(_sizes(np.concatenate(held, axis=1)), most)
    drawn = systematic(chances, np.random.default_rng(seed).random())
    return [every[at]._replace(weight=1 / float(chances[at])) for at in drawn]


def inclusion(sizes: NDArray[np.float64], most: int) -> Chances:
    """The probabilities of a sample of `most`, in proportion to sizes above 0 and at most 1."""
    certain = np.full(len(sizes), len(sizes) <= most)
    chances = np.ones(len(sizes))
    while not certain.all():
        rest = ~certain
        chances[rest] = sizes[rest] * (most - certain.sum()) / sizes[rest].sum()
        if (chances[rest] < 1).all():
            break
        certain |= chances >= 1
        chances[certain] = 1
    return chances


def systematic(chances: Chances, start: float) -> NDArray[np.intp]:
    """What is drawn with these probabilities, by a start that is even in [0, 1)."""
    certain = chances == 1
    passed = np.floor(np.cumsum(np.where(certain, 0, chances)) - start)
    return np.flatnonzero(certain | (np.diff(passed, prepend=np.floor(-start)) > 0))


def _axes(case: PreparedCase, patch: Sequence[int]) -> list[Axis]:
    shape = case.image.shape[1:]
    return [Axis.of(size, side, 0.0) for size, side in zip(shape, patch, strict=True)]


def _tiles(case: int, axes: Sequence[Axis]) -> Iterator[Tile]:
    for place in product(*(range(len(axis.starts)) for axis in axes)):
        each = [*zip(axes, place, strict=True)]
        corner = tuple(axis.starts[i] for axis, i in each)
        yield Tile(case, corner, tuple(axis.finished(i) for axis, i in each))


def _held(case: PreparedCase, axes: Sequence[Axis], classes: Sequence[str]) -> NDArray[np.float64]:
    """(class, tile) how many of the voxels of a class that are known lie in each."""
    counts = [len(axis.starts) for axis in axes]
    held = np.zeros((len(classes), int(np.prod(counts))))
    for row, name in zip(held, classes, strict=True):
        positions = case.foreground.get(name, np.empty(0, np.int64))
        voxels = np.unravel_index(positions, case.image.shape[1:])
        places = [
            np.searchsorted(axis.starts, along, side="right") - 1
            for axis, along in zip(axes, voxels, strict=True)
        ]
        row += np.bincount(np.ravel_multi_index(places, counts), minlength=len(row))
    return held


def _sizes(held: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tile,) what chances are in proportion to: half of it even, half by what is held."""
    there = held[held.sum(axis=1) > 0]
    even = np.full(held.shape[1], 1 / held.shape[1])
    return even + (there / there.sum(axis=1, keepdims=True)).mean(axis=0) if len(there) else even
