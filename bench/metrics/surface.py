"""NSD, Hausdorff percentiles and mean distance of one class, from the sites of its two boundaries.

Distances are searched for nearby first. A site that the search leaves open is farther away than the
search reached; only where that does not settle the tolerance and the percentile is it resolved.
"""

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.metrics import far
from bench.metrics.kernel import kernel
from bench.metrics.lattice import Lattice
from bench.metrics.near import Rows, mark, search

SAMPLE = 64  # sites that tell whether searching nearby is worth it
ROUNDING = 1e-12  # of all: a share is reached so much early, since sums of areas are rounded


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
    rows: Rows
    measure: NDArray[np.float64]
    weighted: bool


class Question(NamedTuple):
    """What is asked of a class: the tolerance, percentiles, and whether the mean distance too."""

    limit_mm: float
    percentiles: tuple[float, ...]
    mean: bool


class Directed(NamedTuple):
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


def directed(
    source: Boundary, target: Boundary, geometry: Geometry, question: Question, bitmaps: Bitmaps
) -> Directed:
    """Distances from every site of `source` to the nearest of `target`, and what follows of them.

    Both boundaries must have sites.
    """
    mm2 = _search(source.keys, target.keys, geometry, bitmaps.bits)
    hd_mm = _percentiles(mm2, source.codes, geometry, question)
    settled = geometry.rows.reach_mm > question.limit_mm and np.all(np.isfinite(hd_mm))
    open_ = np.flatnonzero(np.isinf(mm2)) if question.mean or not settled else np.empty(0)
    if open_.size:
        mm2[open_] = far.resolve(
            geometry.lattice.coordinates(source.keys[open_]),
            geometry.lattice.coordinates(np.sort(target.keys)),
            geometry.spacing_mm,
        )
        hd_mm = _percentiles(mm2, source.codes, geometry, question)
    within, total = _within(mm2, source.codes, geometry.measure, question.limit_mm)
    mean = _distance_sum(mm2, source.codes, geometry.measure) if question.mean else np.nan
    return Directed(within, total, hd_mm, mean)


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
    sample = source[:: -(-source.size // SAMPLE)].copy()
    mark(bitmap, target, True)
    missed = search(bitmap, sample, words, row_mm2, step_mm, reach_mm, mm2[: sample.size])
    if 2 * missed > sample.size:
        mm2[:] = np.inf
    else:
        search(bitmap, source, words, row_mm2, step_mm, reach_mm, mm2)
    mark(bitmap, target, False)
    return mm2


def _percentiles(
    mm2: NDArray[np.float64], codes: NDArray[np.uint8], geometry: Geometry, question: Question
) -> tuple[float, ...]:
    """Distances in mm that the asked percentiles of the boundary do not exceed.

    Areas: the smallest distance that the share is reached at, as in surface-distance. Counts: the
    two neighbouring distances are interpolated, as in `numpy.percentile` and MONAI.
    """
    if geometry.weighted:
        return tuple(
            float(np.sqrt(_quantile(mm2, codes, geometry.measure, percent / 100)))
            for percent in question.percentiles
        )
    return tuple(_interpolated(mm2, codes, geometry, percent) for percent in question.percentiles)


def _interpolated(
    mm2: NDArray[np.float64], codes: NDArray[np.uint8], geometry: Geometry, percent: float
) -> float:
    """The percentile between two border voxels, interpolated linearly."""
    n = mm2.size
    position = percent / 100 * (n - 1)
    rank = int(position)
    low, high = (
        float(np.sqrt(_quantile(mm2, codes, geometry.measure, (min(r, n - 1) + 0.5) / n)))
        for r in (rank, rank + 1)
    )
    return low + (high - low) * (position - rank) if high < np.inf else high


@kernel
def _quantile(mm2: Any, codes: Any, measure: Any, share: float) -> float:
    """The smallest of `mm2` up to which `share` of the measure lies; infinity if it is open.

    Values are tallied in bins between their bounds, then in the bin that holds the answer, until
    all its values are one: linear time without sorting, and free of their order.
    """
    low, high, total, finite = np.inf, -np.inf, 0.0, 0.0
    for n in range(mm2.size):
        weight = measure[codes[n]]
        total += weight
        if mm2[n] < np.inf:
            finite += weight
            low, high = min(low, mm2[n]), max(high, mm2[n])
    goal = (share - ROUNDING) * total
    if finite < goal:
        return np.inf
    below = 0.0
    weights, least, most = np.empty(256), np.empty(256), np.empty(256)
    while low < high:
        weights[:], least[:], most[:] = 0.0, np.inf, -np.inf
        scale = 255.0 / (high - low)
        for n in range(mm2.size):
            value = mm2[n]
            if low <= value <= high:
                b = int((value - low) * scale)
                weights[b] += measure[codes[n]]
                least[b], most[b] = min(least[b], value), max(most[b], value)
        last = 0  # the last bin with values: the answer, should rounding leave the goal unreached
        for b in range(256):
            if weights[b] > 0:
                last = b
                if below + weights[b] >= goal:
                    break
                below += weights[b]
        low, high = least[last], most[last]
    return low


@kernel
def _within(mm2: Any, codes: Any, measure: Any, limit_mm: float) -> tuple[float, float]:
    """Measure of the sites within `limit_mm`, and of all: counted per code, then summed."""
    near, every = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for n in range(mm2.size):
        every[codes[n]] += 1
        if np.sqrt(mm2[n]) <= limit_mm:
            near[codes[n]] += 1
    within, total = 0.0, 0.0
    for code in range(256):
        within += near[code] * measure[code]
        total += every[code] * measure[code]
    return within, total


@kernel
def _distance_sum(mm2: Any, codes: Any, measure: Any) -> float:
    """Sum of distance × measure over the sites."""
    total = 0.0
    for n in range(mm2.size):
        total += np.sqrt(mm2[n]) * measure[codes[n]]
    return total
