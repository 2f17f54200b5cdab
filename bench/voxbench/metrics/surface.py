"""NSD, Hausdorff percentiles and mean distance of one class, from the sites of its two boundaries.

Distances are searched for nearby first. A site that the search leaves open is farther away than the
search reached; only where that does not settle the tolerance and the percentile is it resolved.
"""

import math
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled
from voxbench.metrics.bitmap_search import NearbyRows, mark_bitmap, search_bitmap
from voxbench.metrics.distance_transform import squared_distances
from voxbench.metrics.sites import Lattice

SAMPLED_SITES = 64  # sites that tell whether searching nearby is worth it
SHARE_ROUNDING = 1e-12  # of all: a share is reached so much early, since sums of areas are rounded


class Boundary(NamedTuple):
    """Sites of one class on one side: keys (n,) uint32, plane after plane, and codes (n,) uint8."""

    keys: NDArray[np.uint32]
    codes: NDArray[np.uint8]


class Geometry(NamedTuple):
    """What every class of a case shares.

    The lattice, mm per axis of it, the rows to look through, and the measure (256,) of a site by
    its code: mm² (mm in 2D) if sites are `weighted`, or 1 per border voxel.
    """

    lattice: Lattice
    spacing_mm: NDArray[np.float64]
    rows: NearbyRows
    measure: NDArray[np.float64]
    weighted: bool


class ClassRequest(NamedTuple):
    """What is asked of a class: the tolerance, percentiles, and whether the mean distance too."""

    limit_mm: float
    percentiles: tuple[float, ...]
    mean: bool


class Tally(NamedTuple):
    """Measure of a boundary: of the sites within the limit, of those with a distance, of all.

    `high` is the largest squared distance in mm².
    """

    within: float
    finite: float
    total: float
    high: float


class DirectedDistances(NamedTuple):
    """From one boundary to the other.

    Measure within the limit and in all, Hausdorff distances in mm in the order of the percentiles,
    and the sum of distance × measure (NaN unless asked).
    """

    within: float
    total: float
    hd_mm: tuple[float, ...]
    distance_sum: float


class Bitmaps(threading.local):
    """One zeroed bitmap a thread; every search leaves it zeroed."""

    def __init__(self, words: int) -> None:
        self.bits = np.zeros(words, np.uint64)


def directed_distances(
    source: Boundary, target: Boundary, geometry: Geometry, asked: ClassRequest, bitmaps: Bitmaps
) -> DirectedDistances:
    """Distances from every site of `source` to the nearest of `target`, and what follows of them.

    Both boundaries must have sites.
    """
    mm2 = _search(source.keys, target.keys, geometry, bitmaps.bits)
    limit_mm2 = _largest_square(asked.limit_mm)
    tally = Tally(*_tally(mm2, source.codes, geometry.measure, limit_mm2))
    hd_mm = _percentiles(mm2, source.codes, tally, geometry, asked)
    settled = geometry.rows.reach_mm > asked.limit_mm and np.all(np.isfinite(hd_mm))
    open_ = np.flatnonzero(np.isinf(mm2)) if asked.mean or not settled else np.empty(0)
    if open_.size:
        mm2[open_] = squared_distances(
            geometry.lattice.coordinates(source.keys[open_]),
            geometry.lattice.coordinates(np.sort(target.keys)),
            geometry.spacing_mm,
        )
        tally = Tally(*_tally(mm2, source.codes, geometry.measure, limit_mm2))
        hd_mm = _percentiles(mm2, source.codes, tally, geometry, asked)
    mean = _distance_sum(mm2, source.codes, geometry.measure) if asked.mean else np.nan
    return DirectedDistances(tally.within, tally.total, hd_mm, mean)


def _search(
    source: NDArray[np.uint32],
    target: NDArray[np.uint32],
    geometry: Geometry,
    bitmap: NDArray[np.uint64],
) -> NDArray[np.float64]:
    """Squared distances (n,) in mm² of what lies within reach, infinity for the rest.

    Where most of a sample finds nothing, nothing is searched: all of it is far then.
    """
    words, row_mm2, reach_mm = geometry.rows
    step_mm = geometry.spacing_mm[2]
    mm2 = np.full(source.size, np.inf)
    sample = source[:: -(-source.size // SAMPLED_SITES)].copy()
    mark_bitmap(bitmap, target, True)
    missed = search_bitmap(bitmap, sample, words, row_mm2, step_mm, reach_mm, mm2[: sample.size])
    if 2 * missed > sample.size:
        mm2[:] = np.inf
    else:
        search_bitmap(bitmap, source, words, row_mm2, step_mm, reach_mm, mm2)
    mark_bitmap(bitmap, target, False)
    return mm2


def _largest_square(mm: float) -> float:
    """The largest number whose root is at most `mm`: what a squared distance must not exceed."""
    square = mm * mm
    while math.sqrt(square) > mm:
        square = math.nextafter(square, 0)
    while math.sqrt(math.nextafter(square, math.inf)) <= mm:
        square = math.nextafter(square, math.inf)
    return square


@compiled
def _tally(
    mm2: Any, codes: Any, measure: Any, limit_mm2: float
) -> tuple[float, float, float, float]:
    """The fields of a `Tally`: sites are counted per code, then summed."""
    counts = np.zeros((3, 256), np.int64)  # open, beyond the limit, within it
    high = 0.0
    for n in range(mm2.size):
        finite = mm2[n] < np.inf
        counts[np.uint64(finite) + np.uint64(mm2[n] <= limit_mm2), codes[n]] += 1
        high = max(high, mm2[n] if finite else 0.0)
    within, finite_, total = 0.0, 0.0, 0.0
    for code in range(256):
        within += counts[2, code] * measure[code]
        finite_ += (counts[1, code] + counts[2, code]) * measure[code]
        total += (counts[0, code] + counts[1, code] + counts[2, code]) * measure[code]
    return within, finite_, total, high


def _percentiles(
    mm2: NDArray[np.float64],
    codes: NDArray[np.uint8],
    tally: Tally,
    geometry: Geometry,
    asked: ClassRequest,
) -> tuple[float, ...]:
    """Distances in mm that the asked percentiles of the boundary do not exceed.

    Areas: the smallest distance that the share is reached at, as in surface-distance. Counts: the
    two neighbouring distances are interpolated, as in `numpy.percentile` and MONAI.
    """

    def distance(share: float) -> float:
        goal = (share - SHARE_ROUNDING) * tally.total
        if tally.finite < goal:
            return math.inf
        return math.sqrt(_quantile(mm2, codes, geometry.measure, goal, tally.high))

    if geometry.weighted:
        return tuple(distance(percent / 100) for percent in asked.percentiles)
    return tuple(_interpolated(distance, mm2.size, percent) for percent in asked.percentiles)


def _interpolated(distance: Callable[[float], float], n: int, percent: float) -> float:
    """The percentile between two of `n` border voxels, interpolated linearly."""
    position = percent / 100 * (n - 1)
    rank = int(position)
    low, high = (distance((min(r, n - 1) + 0.5) / n) for r in (rank, rank + 1))
    return low + (high - low) * (position - rank) if high < np.inf else high


@compiled
def _quantile(mm2: Any, codes: Any, measure: Any, goal: float, high: float) -> float:
    """The smallest of `mm2` up to which the measure reaches `goal`; none but infinity is > `high`.

    Values are tallied in bins between their bounds, then in the bin that holds the answer, until
    all its values are one: linear time without sorting, and free of their order.
    """
    low, below = 0.0, 0.0
    weights = np.empty(256)
    while low < high:
        weights[:] = 0.0
        scale = 255.0 / (high - low)
        for n in range(mm2.size):
            if low <= mm2[n] <= high:
                weights[int((mm2[n] - low) * scale)] += measure[codes[n]]
        answer, its = 0, 0.0  # the last bin with values, should rounding leave the goal unreached
        for b in range(256):
            if weights[b] > 0:
                answer, below, its = b, below + its, weights[b]
                if below + its >= goal:
                    break
        least, most = high, low
        for n in range(mm2.size):
            if low <= mm2[n] <= high and int((mm2[n] - low) * scale) == answer:
                least, most = min(least, mm2[n]), max(most, mm2[n])
        low, high = least, most
    return low


@compiled
def _distance_sum(mm2: Any, codes: Any, measure: Any) -> float:
    """Sum of distance × measure over the sites."""
    total = 0.0
    for n in range(mm2.size):
        total += np.sqrt(mm2[n]) * measure[codes[n]]
    return total
