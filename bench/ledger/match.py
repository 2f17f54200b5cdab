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

from bench.ledger.fingerprint import CELLS, along

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
_STEPS = ((2, 8), (0, 8))  # smoothing and Gauss-Newton steps, coarse to fine


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
    spans = pose.spans.copy()
    for smoothing, steps in _STEPS:
        spans = _register(_smooth(moving, smoothing), _smooth(fixed, smoothing), spans, steps)
    _, inside = _place(moving, spans)
    covered = np.prod(np.clip(spans, 0, 1) @ (-1, 1))
    if min(inside.mean(), covered) < _SHARED:
        return 0.0
    rest, _ = _place(moving - _smooth(moving, 4), spans)
    return _correlation((fixed - _smooth(fixed, 4))[inside], rest[inside])


def _register(
    moving: Volume, fixed: Volume, spans: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """Gauss-Newton over the ends of the three spans, with gain and offset of the grey values."""
    share = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS
    for _ in range(steps):
        placed, inside = _place(moving, spans)
        if inside.mean() < _SHARED:
            break
        columns = [placed[inside], np.ones(np.count_nonzero(inside), np.float32)]
        for axis, gradient in enumerate(np.gradient(placed)):
            place = share.reshape([-1 if other == axis else 1 for other in range(3)])
            slope = gradient * (CELLS / (spans[axis, 1] - spans[axis, 0]))
            columns += [(slope * (1 - place))[inside], (slope * place)[inside]]
        design = np.stack(columns)
        normal = (design @ design.T).astype(np.float64)
        normal[np.diag_indices(8)] *= 1.001
        solution = np.linalg.lstsq(normal, (design @ fixed[inside]).astype(np.float64), rcond=1e-9)
        gain = solution[0][0]
        if gain <= 0.1:
            break
        change = np.clip(solution[0][2:].reshape(3, 2) / gain, -0.06, 0.06)
        spans = spans + change
        widths = spans[:, 1] - spans[:, 0]
        if widths.min() < 0.4 or widths.max() > 2.5:
            break
        if np.abs(change).max() < 0.002:
            break
    return spans


def _place(volume: Volume, spans: NDArray[np.float64]) -> tuple[Volume, NDArray[np.bool_]]:
    """Sample spans of a volume on 24³ cells, and which of them lie inside it."""
    matrices, kept = [], []
    for low, high in spans:
        matrix, inside = _sampling(float(low), float(high))
        matrices.append(matrix)
        kept.append(inside)
    a, b, c = kept
    return along(volume, matrices), a[:, None, None] & b[:, None] & c


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
