"""Finds the volumes of a pool that show the same scan as a query.

Two steps. The **shortlist** compares low-frequency cosine coefficients over the 48 symmetries of
a cube and 55 guesses of how the fields of view lie to each other (equal, or one a part of the
other), as one matrix product. The **verification** registers each candidate and correlates what
is left without its coarse structure, which all people share (`registration`).

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

from voxbench.ledger.look import EDGE, along
from voxbench.ledger.registration import Pose, Ranks, sampling, similarity

FLOOR = 0.55
CANDIDATES = 30
_WAY = 0.5  # from the candidates' median to 1
_ENOUGH = 10  # candidates that make a median
_ALONE = 0.85  # the bar where there are fewer
_FREQUENCIES = 6  # along each axis
_CUT = 0.15  # share of each axis that a guess leaves out
_BLOCK = 2048  # volumes of the pool compared at a time


class Candidate(NamedTuple):
    """A volume of the pool that a query was verified against.

    Attributes:
        position: in the pool.
        score: correlation of fine structure after registration, up to 1.
    """

    position: int
    score: float


def bar(scores: Sequence[float]) -> float:
    """The score from which on a candidate is taken for the same scan, by what candidates score."""
    if len(scores) < _ENOUGH:
        return _ALONE
    typical = float(np.median(scores))
    return max(FLOOR, typical + _WAY * (1 - typical))


class Pool:
    """Looks to search in, by their ranks (24, 24, 24)."""

    def __init__(self, looks: Sequence[Ranks]) -> None:
        self.looks = list(looks)
        equal = _projections()[0]
        rows = [_descriptor(ranks, equal).ravel() for ranks in self.looks]
        self._descriptors = np.array(rows, np.float32).reshape(len(rows), _FREQUENCIES**3)

    def search(
        self, query: Ranks, count: int = CANDIDATES, skip: int | None = None
    ) -> list[Candidate]:
        """Every candidate verified, the best first.

        Args:
            query: ranks of a look.
            count: of candidates.
            skip: a volume of the pool that is left out: the query itself.
        """
        found = [
            Candidate(index, similarity(query, self.looks[index], pose))
            for index, pose in self._shortlist(query, count, skip)
        ]
        return sorted(found, key=lambda candidate: (-candidate.score, candidate.position))

    def _shortlist(self, query: Ranks, count: int, skip: int | None) -> list[tuple[int, Pose]]:
        """The volumes that may be the query's, the likeliest first, each with its best pose."""
        variants, poses = _variants(query)
        scores, best = [], []
        for start in range(0, len(self.looks), _BLOCK):
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


def _variants(query: Ranks) -> tuple[NDArray[np.float32], list[Pose]]:
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


def _symmetries() -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The 48 ways to order and flip three axes."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            yield order, tuple(axis for axis in range(3) if flips[axis])


def _descriptor(ranks: Ranks, projection: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(6, 6, 6) of length 1; the constant is left out."""
    found = along(ranks - np.float32(127.5), projection)
    found[0, 0, 0] = 0
    norm = float(np.linalg.norm(found))
    return found / norm if norm else found


@cache
def _projections() -> list[list[NDArray[np.float32]]]:
    """For each guess a matrix an axis: sample the span, then its lowest cosine coefficients."""
    k, x = np.arange(_FREQUENCIES)[:, None], (np.arange(EDGE) + 0.5) / EDGE
    cosines = np.cos(np.pi * k * x) * np.where(k, np.sqrt(2), 1)
    return [
        [(cosines @ sampling(*span)[0]).astype(np.float32) for span in spans]
        for spans in _guesses()
    ]


@cache
def _guesses() -> NDArray[np.float64]:
    """(55, 3, 2) spans: equal; the other a part of the query; the query a part of the other."""
    cuts = [_CUT * share for share in (0.0, 0.5, 1.0)]
    equal = [(0.0, 1.0)]
    parts = [(cut, cut + 1 - _CUT) for cut in cuts]
    wholes = [(-cut / (1 - _CUT), (1 - cut) / (1 - _CUT)) for cut in cuts]
    return np.array(
        [spans for ends in (equal, parts, wholes) for spans in itertools.product(ends, repeat=3)]
    )
