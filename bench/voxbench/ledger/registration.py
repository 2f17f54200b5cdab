"""Lays one look onto another and says how alike their fine structure is.

A query is registered by the ends of its field of view along each axis (shift and scale,
Gauss-Newton on the voxels, coarse to fine) from a pose that a shortlist found.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.ledger.look import EDGE, along, resampling

Ranks = NDArray[np.uint8]
_Volume = NDArray[np.float32]

_SHARED = 0.25  # share of either volume that must lie in the other
_FARTHEST = 0.06  # share that an end moves in one step
_SETTLED = 0.002
_DAMPING = 0.001


class _Stage(NamedTuple):
    smoothing: int
    stride: int
    steps: int


_STAGES = (_Stage(4, 2, 8), _Stage(1, 2, 6), _Stage(0, 1, 4))  # coarse to fine


class Pose(NamedTuple):
    """How a query lies to a volume of the pool.

    Attributes:
        order: axes of the query, in the order of the other's.
        flips: axes of the query that run backwards.
        spans: (3, 2) the other's box in shares of the query's, after flips and order.
    """

    order: tuple[int, ...]
    flips: tuple[int, ...]
    spans: NDArray[np.float64]


def similarity(query: Ranks, other: Ranks, pose: Pose) -> float:
    """Register the query onto the other from a pose and correlate their fine structure.

    The coarse structure, which all people share, is left out. Gives 0 where less than a
    quarter of either lies in the other.
    """
    moving = np.transpose(np.flip(query, pose.flips), pose.order).astype(np.float32)
    fixed = other.astype(np.float32)
    spans: NDArray[np.float64] = pose.spans
    for stage in _STAGES:
        spans = _register(moving, fixed, spans, stage)
    fine = (moving - _smooth(moving, 4))[None]
    sampled, inside = _sample(fine, spans, 1)
    if min(sampled[0].size / EDGE**3, np.prod(np.clip(spans, 0, 1) @ (-1, 1))) < _SHARED:
        return 0.0
    return _correlation((fixed - _smooth(fixed, 4))[inside], sampled[0])


def _register(
    moving: _Volume, fixed: _Volume, spans: NDArray[np.float64], stage: _Stage
) -> NDArray[np.float64]:
    """Gauss-Newton over the ends of the three spans, blind to gain and offset of the greys."""
    moving, fixed = _smooth(moving, stage.smoothing), _smooth(fixed, stage.smoothing)
    stack = np.stack([moving, *np.gradient(moving)])
    share = (np.arange(EDGE, dtype=np.float32) + 0.5) / EDGE
    for _ in range(stage.steps):
        (sampled, *gradients), inside = _sample(stack, spans, stage.stride)
        if sampled.size * stage.stride**3 < _SHARED * EDGE**3:
            break
        columns = [np.ones(sampled.size, np.float32), sampled.ravel()]
        for axis, gradient in enumerate(gradients):
            shape = [-1 if other == axis else 1 for other in range(3)]
            upper = (share[inside[axis]].reshape(shape) * gradient * EDGE).ravel()
            columns += [EDGE * gradient.ravel() - upper, upper]
        change = _step(np.stack(columns), fixed[inside].ravel())
        spans = (spans + np.clip(change, -_FARTHEST, _FARTHEST)).astype(np.float64)
        widths = spans[:, 1] - spans[:, 0]
        if np.abs(change).max() < _SETTLED or widths.min() < 0.4 or widths.max() > 2.5:
            break
    return spans


def _step(design: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """(3, 2) change of the spans' ends; rows of the design are 1, the greys and their slopes."""
    normal = (design @ design.T).astype(np.float64)
    right = (design @ target).astype(np.float64)
    greys, mixed, slopes = normal[:2, :2], normal[:2, 2:], normal[2:, 2:]
    fit = np.linalg.lstsq(greys, np.column_stack([mixed, right[:2]]), rcond=1e-9)[0]
    gain = fit[1, -1]
    if gain <= 0.1:  # the greys run against each other: nothing to follow
        return np.zeros((3, 2))
    free = slopes - mixed.T @ fit[:, :-1]
    free[np.diag_indices(6)] += _DAMPING * np.trace(free) / 6 + 1e-6
    change = np.linalg.solve(free, right[2:] - mixed.T @ fit[:, -1]) / gain
    return np.asarray(change, np.float64).reshape(3, 2)


def _sample(
    volumes: NDArray[np.float32], spans: NDArray[np.float64], stride: int
) -> tuple[NDArray[np.float32], tuple[slice, slice, slice]]:
    """Sample spans of volumes (n, 24, 24, 24) on every so many of 24³ voxels that lie inside."""
    found = [sampling(float(low), float(high)) for low, high in spans]
    kept = [np.flatnonzero(inside) for _, inside in found]
    slices = [slice(k[0], k[-1] + 1, stride) if len(k) else slice(0, 0) for k in kept]
    x, y, z = (matrix[part] for (matrix, _), part in zip(found, slices, strict=True))
    sampled = np.matmul(x, volumes.reshape(len(volumes), EDGE, -1))
    sampled = np.matmul(y, sampled.reshape(len(volumes), len(x), EDGE, EDGE))
    return np.matmul(sampled, z.T), (slices[0], slices[1], slices[2])


def sampling(low: float, high: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Weights (24, 24) that sample a span, given in shares; zero where it lies outside."""
    centres = low * EDGE + (np.arange(EDGE) + 0.5) * (high - low) - 0.5
    inside = (centres > -0.51) & (centres < EDGE - 0.49)
    return resampling(EDGE, EDGE, low * EDGE, high * EDGE) * inside[:, None], inside


def _smooth(volume: _Volume, times: int) -> _Volume:
    return along(volume, [_smoothing(times)] * 3) if times else volume


@cache
def _smoothing(times: int) -> NDArray[np.float32]:
    """(24, 24), binomial weights applied so many times; the ends are repeated."""
    once = np.eye(EDGE) / 2
    for row in range(EDGE):
        once[row, max(row - 1, 0)] += 0.25
        once[row, min(row + 1, EDGE - 1)] += 0.25
    return np.linalg.matrix_power(once, times).astype(np.float32)


def _correlation(a: _Volume, b: _Volume) -> float:
    a, b = a.ravel(), b.ravel()
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 0.0
