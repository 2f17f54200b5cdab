"""Finds the volumes of a pool that show the same scan as a query.

Two steps. The **shortlist** compares low-frequency cosine coefficients over the 48 symmetries of
a cube and 55 guesses of how the fields of view lie to each other (equal, or one a part of the
other), as one matrix product. The **verification** registers each candidate (shift and scale
along each axis, Gauss-Newton on the cells) and correlates what is left without its coarse
structure, which all people share.

How alike two different people look depends on what is shown, so the bar is relative: a match
comes at least half the way from the median of the query's candidates to 1, and over `FLOOR`.
`tests/benchmarks/overlap.py` measures what that finds and where it stops working.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.ledger.fingerprint import CELLS, along

Cells = NDArray[np.uint8]
Volume = NDArray[np.float32]

FLOOR = 0.55
CANDIDATES = 30
_WAY = 0.5  # from the candidates' median to 1
_ENOUGH = 10  # candidates that make a median
_ALONE = 0.85  # the bar where there are fewer
_FREQUENCIES = 6  # along each axis
_CUT = 0.15  # share of each axis that a guess leaves out
_BLOCK = 2048  # volumes of the pool compared at a time
_SHARED = 0.25  # share of either volume that must lie in the other
_FARTHEST = 0.06  # share that an end moves in one step
_SETTLED = 0.002
_DAMPING = 0.001


class _Stage(NamedTuple):
    smoothing: int
    stride: int
    steps: int


_STAGES = (_Stage(4, 2, 8), _Stage(1, 2, 6), _Stage(0, 1, 4))  # coarse to fine


class Match(NamedTuple):
    """A volume of the pool that a query was verified against.

    Attributes:
        place: in the pool.
        score: correlation of fine structure after registration, up to 1.
    """

    place: int
    score: float


def bar(scores: Sequence[float]) -> float:
    """The score from which on a match is taken for the same scan, by what candidates score."""
    if len(scores) < _ENOUGH:
        return _ALONE
    typical = float(np.median(scores))
    return max(FLOOR, typical + _WAY * (1 - typical))


class Pool:
    """Fingerprints to search in."""

    def __init__(self, cells: Sequence[Cells]) -> None:
        self.cells = list(cells)
        whole = _projections()[0]
        rows = [_descriptor(volume, whole).ravel() for volume in self.cells]
        self._descriptors = np.array(rows, np.float32).reshape(len(rows), _FREQUENCIES**3)

    def candidates(
        self, query: Cells, count: int = CANDIDATES, skip: int | None = None
    ) -> list[tuple[int, "Pose"]]:
        """The volumes that may be the query's, the likeliest first, each with its best pose."""
        variants, poses = _variants(query)
        scores, best = [], []
        for start in range(0, len(self.cells), _BLOCK):
            block = variants @ self._descriptors[start : start + _BLOCK].T
            best.append(block.argmax(0))
            scores.append(np.take_along_axis(block, best[-1][None], 0)[0])
        if not scores:
            return []
        score, pose = np.concatenate(scores), np.concatenate(best)
        if skip is not None:
            score[skip] = -np.inf
        order = np.argsort(-score, kind="stable")[: min(count, len(score) - (skip is not None))]
        return [(int(index), poses[pose[index]]) for index in order]

    def search(self, query: Cells, count: int = CANDIDATES, skip: int | None = None) -> list[Match]:
        """Every candidate verified, the best first.

        Args:
            query: cells of a fingerprint.
            count: of candidates.
            skip: a volume of the pool that is left out: the query itself.
        """
        found = [
            Match(place, verify(query, self.cells[place], pose))
            for place, pose in self.candidates(query, count, skip)
        ]
        return sorted(found, key=lambda match: (-match.score, match.place))


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


def verify(query: Cells, other: Cells, pose: Pose) -> float:
    """Register the query onto the other from a pose and correlate their fine structure.

    Gives 0 where less than a quarter of either lies in the other.
    """
    moving = np.transpose(np.flip(query, pose.flips), pose.order).astype(np.float32)
    fixed = other.astype(np.float32)
    spans: NDArray[np.float64] = pose.spans
    for stage in _STAGES:
        spans = _register(moving, fixed, spans, stage)
    fine = (moving - _smooth(moving, 4))[None]
    placed, inside = _place(fine, spans, 1)
    if min(placed[0].size / CELLS**3, np.prod(np.clip(spans, 0, 1) @ (-1, 1))) < _SHARED:
        return 0.0
    return _correlation((fixed - _smooth(fixed, 4))[inside], placed[0])


def _register(
    moving: Volume, fixed: Volume, spans: NDArray[np.float64], stage: _Stage
) -> NDArray[np.float64]:
    """Gauss-Newton over the ends of the three spans, blind to gain and offset of the greys."""
    moving, fixed = _smooth(moving, stage.smoothing), _smooth(fixed, stage.smoothing)
    stack = np.stack([moving, *np.gradient(moving)])
    share = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS
    for _ in range(stage.steps):
        (placed, *gradients), inside = _place(stack, spans, stage.stride)
        if placed.size * stage.stride**3 < _SHARED * CELLS**3:
            break
        columns = [np.ones(placed.size, np.float32), placed.ravel()]
        for axis, gradient in enumerate(gradients):
            shape = [-1 if other == axis else 1 for other in range(3)]
            upper = (share[inside[axis]].reshape(shape) * gradient * CELLS).ravel()
            columns += [CELLS * gradient.ravel() - upper, upper]
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


def _place(
    volumes: NDArray[np.float32], spans: NDArray[np.float64], stride: int
) -> tuple[NDArray[np.float32], tuple[slice, slice, slice]]:
    """Sample spans of volumes (n, 24, 24, 24) on every so many of 24³ cells that lie inside."""
    found = [_sampling(float(low), float(high)) for low, high in spans]
    kept = [np.flatnonzero(inside) for _, inside in found]
    slices = [slice(k[0], k[-1] + 1, stride) if len(k) else slice(0, 0) for k in kept]
    x, y, z = (matrix[part] for (matrix, _), part in zip(found, slices, strict=True))
    sampled = np.matmul(x, volumes.reshape(len(volumes), CELLS, -1))
    sampled = np.matmul(y, sampled.reshape(len(volumes), len(x), CELLS, CELLS))
    return np.matmul(sampled, z.T), (slices[0], slices[1], slices[2])


def _sampling(low: float, high: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Weights (24, 24) that sample a span, given in shares; zero where it lies outside."""
    step = high - low
    centres = low * CELLS + (np.arange(CELLS) + 0.5) * step - 0.5
    inside = (centres > -0.51) & (centres < CELLS - 0.49)
    distance = np.abs(np.clip(centres, 0, CELLS - 1)[:, None] - np.arange(CELLS)) / max(1.0, step)
    weights = np.clip(1 - distance, 0, None)
    weights *= inside[:, None] / weights.sum(1, keepdims=True)
    return weights.astype(np.float32), inside


def _smooth(volume: Volume, times: int) -> Volume:
    return along(volume, [_smoothing(times)] * 3) if times else volume


@cache
def _smoothing(times: int) -> NDArray[np.float32]:
    """(24, 24), binomial weights applied so many times; the ends are repeated."""
    once = np.eye(CELLS) / 2
    for row in range(CELLS):
        once[row, max(row - 1, 0)] += 0.25
        once[row, min(row + 1, CELLS - 1)] += 0.25
    return np.linalg.matrix_power(once, times).astype(np.float32)


def _correlation(a: Volume, b: Volume) -> float:
    a, b = a.ravel(), b.ravel()
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 0.0


@cache
def _guesses() -> NDArray[np.float64]:
    """(55, 3, 2) spans: equal; the other a part of the query; the query a part of the other."""
    cut, places = _CUT, (0.0, 0.5, 1.0)
    parts = [(cut * place, cut * place + 1 - cut) for place in places]
    wholes = [(-cut * place / (1 - cut), (1 - cut * place) / (1 - cut)) for place in places]
    equal = [(0.0, 1.0)]
    return np.array(
        [spans for ends in (equal, parts, wholes) for spans in itertools.product(ends, repeat=3)]
    )


@cache
def _projections() -> list[list[NDArray[np.float32]]]:
    """For each guess a matrix an axis: sample the span, then its lowest cosine coefficients."""
    k, place = np.arange(_FREQUENCIES)[:, None], (np.arange(CELLS) + 0.5) / CELLS
    cosines = np.cos(np.pi * k * place) * np.where(k, np.sqrt(2), 1)
    return [
        [(cosines @ _sampling(*span)[0]).astype(np.float32) for span in spans]
        for spans in _guesses()
    ]


def _descriptor(cells: Cells, projection: list[NDArray[np.float32]]) -> Volume:
    """(6, 6, 6) of length 1; the constant is left out."""
    found = along(cells - np.float32(127.5), projection)
    found[0, 0, 0] = 0
    norm = float(np.linalg.norm(found))
    return found / norm if norm else found


def _symmetries() -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The 48 ways to order and flip three axes."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            yield order, tuple(axis for axis in range(3) if flips[axis])


def _variants(query: Cells) -> tuple[NDArray[np.float32], list[Pose]]:
    """Descriptors (48 · 55, 216) of the query in every pose, and the poses."""
    guesses = _guesses()
    plain = np.array([_descriptor(query, projection) for projection in _projections()])
    odd = np.where(np.arange(_FREQUENCIES) % 2, np.float32(-1), np.float32(1))
    rows, poses = [], []
    for order, flips in _symmetries():
        turned, spans = plain, guesses.copy()
        for axis in flips:  # a flip changes the sign of the odd coefficients
            turned = turned * odd.reshape([-1 if other == axis else 1 for other in range(3)])
            spans[:, axis] = 1 - spans[:, axis, ::-1]
        rows.append(turned.transpose(0, *(axis + 1 for axis in order)).reshape(len(guesses), -1))
        poses += [Pose(order, flips, one) for one in spans[:, list(order)]]
    return np.concatenate(rows), poses
