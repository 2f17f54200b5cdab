"""The nearest target site at any distance, for the few sites that the search nearby left open.

Two exact ways, and the cheaper by a count of operations is taken: every pair, for small sets; or,
plane by plane of the target, a distance transform of that plane (nearest along the row, then the
lower envelope of the rows' parabolas: Felzenszwalb & Huttenlocher 2012) which updates the open
sites that the plane can still improve. No array larger than one plane is ever held.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled

PAIR_COST = 0.6  # ns for one pair of sites
CELL_COST = 6.0  # ns for one cell of a plane's transform
LOOK_COST = 1.5  # ns for one site that looks into one plane


def squared_distances(
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    spacing_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Squared distances (n,) in mm² from sites `source` (3, n) to the nearest of `target` (3, m).

    Lattice indices, `source` sorted by plane and `target` in raster order; `spacing_mm` (3,).
    Neither set may be empty.
    """
    spread = np.maximum(source.max(axis=1), 0) - np.minimum(source.min(axis=1), 0) + 1
    planes = int(target[0].max() - target[0].min()) + 1
    by_pair = PAIR_COST * source.shape[1] * target.shape[1]
    rows = int(target[1].max() - target[1].min()) + 1
    cells = planes * int(spread[2]) * (int(spread[1]) + rows)
    by_plane = CELL_COST * cells + LOOK_COST * planes * source.shape[1]
    mm2 = np.full(source.shape[1], np.inf)
    if by_pair <= by_plane:
        _pairs(source, target, spacing_mm, mm2)
    else:
        a_few = np.ascontiguousarray(target[:, :: max(1, target.shape[1] // 16)])
        _pairs(source, a_few, spacing_mm, mm2)  # bounds that spare most sites most planes
        _planes(source, target, spacing_mm, mm2)
    return mm2


@compiled
def _pairs(source: Any, target: Any, spacing: Any, mm2: Any) -> None:
    """Lower `mm2` (n,) to the squared distance of the nearest target, over all pairs."""
    i, j, k = target[0], target[1], target[2]
    for n in range(mm2.size):
        si, sj, sk = source[0, n], source[1, n], source[2, n]
        best = mm2[n]
        for m in range(i.size):
            x, y, z = (i[m] - si) * spacing[0], (j[m] - sj) * spacing[1], (k[m] - sk) * spacing[2]
            square = x * x + y * y + z * z
            best = square if square < best else best
        mm2[n] = best


@compiled
def _planes(source: Any, target: Any, spacing: Any, mm2: Any) -> None:
    """Lower `mm2` (n,) to the squared distance of the nearest target, plane by plane."""
    origin_j, origin_k = source[1].min(), source[2].min()
    width = source[2].max() - origin_k + 1
    in_plane = np.empty((source[1].max() - origin_j + 1, width))
    cells = in_plane.reshape(in_plane.size)
    n_rows = target[1].max() - target[1].min() + 1
    row_j = np.empty(n_rows, np.int32)
    nearest = np.empty((width, n_rows), np.int32)
    hull, since, heights = np.empty(n_rows, np.int32), np.empty(n_rows + 1), np.empty(n_rows)
    inverse = 1 / (2 * spacing[1] * spacing[1] * np.arange(n_rows))
    runs, worst, cell = _runs(source, mm2, origin_j, origin_k, width)
    m = 0
    while m < target.shape[1]:
        plane = target[0, m]
        end = m
        while end < target.shape[1] and target[0, end] == plane:
            end += 1
        low_j, high_j, low_k, high_k = _window(source, plane, spacing[0], runs, worst)
        if low_j <= high_j:
            rows = _along_rows(target, m, end, low_k, high_k, row_j, nearest)
            for k in range(low_k, high_k + 1):
                _envelope(
                    row_j[:rows], nearest[k - low_k], k, spacing, inverse, hull, since, heights,
                    in_plane[:, k - origin_k], low_j, high_j, origin_j,
                )  # fmt: skip
            _look(source, plane, spacing[0], cells, cell, runs, worst, mm2)
        m = end


@compiled
def _runs(source: Any, mm2: Any, origin_j: int, origin_k: int, width: int) -> tuple[Any, Any, Any]:
    """Stretches of sites in one plane, the largest `mm2` (r,) of each, and each site's cell (n,).

    A stretch (r, 6) is its start, its stop, and its bounds in j and k.
    """
    runs = np.empty((source[0].max() - source[0].min() + 1, 6), np.int64)
    worst = np.zeros(len(runs))
    cell = np.empty(mm2.size, np.int32)
    r = -1
    for n in range(mm2.size):
        i, j, k = source[0, n], source[1, n], source[2, n]
        cell[n] = (j - origin_j) * width + k - origin_k
        if n == 0 or i != source[0, n - 1]:
            r += 1
            runs[r, 0] = n
            runs[r, 2], runs[r, 3], runs[r, 4], runs[r, 5] = j, j, k, k
        run = runs[r]
        run[1] = n + 1
        run[2], run[3] = min(run[2], j), max(run[3], j)
        run[4], run[5] = min(run[4], k), max(run[5], k)
        worst[r] = max(worst[r], mm2[n])
    return runs[: r + 1], worst[: r + 1], cell


@compiled
def _window(
    source: Any, plane: int, step_mm: float, runs: Any, worst: Any
) -> tuple[int, int, int, int]:
    """Bounds (low j, high j, low k, high k) of the sites that `plane` may still improve."""
    low_j, high_j, low_k, high_k = 1 << 30, -1 << 30, 1 << 30, -1 << 30
    for r in range(len(runs)):
        x = (plane - source[0, runs[r, 0]]) * step_mm
        if x * x < worst[r]:
            low_j, high_j = min(low_j, runs[r, 2]), max(high_j, runs[r, 3])
            low_k, high_k = min(low_k, runs[r, 4]), max(high_k, runs[r, 5])
    return low_j, high_j, low_k, high_k


@compiled
def _look(
    source: Any, plane: int, step_mm: float, cells: Any, cell: Any, runs: Any, worst: Any, mm2: Any
) -> None:
    """Lower `mm2` by the distances to a plane: along the first axis, and within it from `cells`."""
    for r in range(len(runs)):
        x = (plane - source[0, runs[r, 0]]) * step_mm
        square = x * x
        if square < worst[r]:
            largest = 0.0
            for n in range(runs[r, 0], runs[r, 1]):
                there = square + cells[cell[n]]
                best = there if there < mm2[n] else mm2[n]
                mm2[n] = best
                largest = best if best > largest else largest
            worst[r] = largest


@compiled
def _along_rows(
    target: Any, m: int, end: int, low_k: int, high_k: int, row_j: Any, nearest: Any
) -> int:
    """For each row of the plane `target[:, m:end]` and each k, the k of its nearest target.

    Fills `row_j` and `nearest` (k, row); returns the number of rows.
    """
    k_of = target[2]
    rows = 0
    while m < end:
        row_j[rows] = target[1, m]
        stop = m
        while stop < end and target[1, stop] == row_j[rows]:
            stop += 1
        for k in range(low_k, high_k + 1):
            while m + 1 < stop and abs(k_of[m + 1] - k) <= abs(k_of[m] - k):
                m += 1
            nearest[k - low_k, rows] = k_of[m]
        rows += 1
        m = stop
    return rows


@compiled
def _envelope(
    row_j: Any, nearest: Any, k: int, spacing: Any, inverse: Any, hull: Any, since: Any,
    heights: Any, column: Any, low_j: int, high_j: int, origin_j: int,
) -> None:  # fmt: skip
    """Squared distance in mm² within a plane from each j of column `k`, into `column`.

    Each row is a parabola over j; `hull` keeps those that are lowest somewhere, `since` which j.
    """
    top = -1
    for row in range(row_j.size):
        y, z = row_j[row] * spacing[1], (nearest[row] - k) * spacing[2]
        height = z * z + y * y
        start = -np.inf
        while top >= 0:
            start = (height - heights[top]) * inverse[row_j[row] - row_j[hull[top]]]
            if start > since[top]:
                break
            top -= 1
            start = -np.inf
        top += 1
        hull[top], since[top], heights[top] = row, start, height
    since[top + 1] = np.inf
    at, first = 0, low_j
    while first <= high_j:
        while since[at + 1] < first:
            at += 1
        stop = high_j + 1 if since[at + 1] > high_j else int(since[at + 1]) + 1
        z = (nearest[hull[at]] - k) * spacing[2]
        for j in range(first, stop):
            y = (row_j[hull[at]] - j) * spacing[1]
            column[j - origin_j] = y * y + z * z
        first = stop
