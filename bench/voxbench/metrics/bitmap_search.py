"""The nearest target site within reach, found by looking through a bitmap row by row.

The target's sites are bits of a padded bitmap. Rows around a source site are visited in order of
their distance; in each, the nearest bit to either side comes from one 64-bit window. The search
ends as soon as no further row can hold anything nearer, so that its result is exact.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled, leading_zeros, trailing_zeros
from voxbench.metrics.sites import Lattice

WINDOW = 31  # lattice points that a window shows to either side
_CENTRE, _LEFT = np.uint64(WINDOW), np.uint64(WINDOW + 1)
_ONE, _SIX, _TOP = np.uint64(1), np.uint64(6), np.uint64(63)


class NearbyRows(NamedTuple):
    """Rows around a site, nearest first.

    Their distance from it in words of the bitmap and the square of it in mm²; `reach_mm` is the
    radius up to which the rows are complete.
    """

    words: NDArray[np.int64]
    mm2: NDArray[np.float64]
    reach_mm: float


def rows_within(
    reach_mm: float, lattice: Lattice, spacing_mm: tuple[float, float, float]
) -> NearbyRows:
    """The rows of `lattice` within `reach_mm` of a site."""
    i = np.arange(-lattice.pad_i, lattice.pad_i + 1)[:, None]
    j = np.arange(-lattice.pad_j, lattice.pad_j + 1)[None, :]
    mm2 = ((i * spacing_mm[0]) ** 2 + (j * spacing_mm[1]) ** 2).ravel()
    words = ((i * lattice.rows + j) * (lattice.bits // 64)).ravel()
    order = np.argsort(mm2, kind="stable")
    order = order[mm2[order] <= reach_mm**2]
    return NearbyRows(words[order].astype(np.int64), mm2[order], reach_mm)


@compiled
def mark_bitmap(bitmap: Any, keys: Any, on: bool) -> None:
    """Set the bits `keys` (n,) of `bitmap`, or clear the words that hold them."""
    for n in range(keys.size):
        key = np.uint64(keys[n])
        word = key >> _SIX
        if on:
            bitmap[word] |= _ONE << (key & _TOP)
        else:
            bitmap[word] = np.uint64(0)


@compiled
def search_bitmap(
    bitmap: Any, keys: Any, row_words: Any, row_mm2: Any, step_mm: float, reach_mm: float, mm2: Any
) -> int:
    """Squared distance in mm² from each site of `keys` (n,) to the nearest bit, into `mm2` (n,).

    A site with nothing within `reach_mm` gets infinity. Returns the number of those.
    """
    reach2 = reach_mm * reach_mm
    unresolved = 0
    for n in range(keys.size):
        key = np.uint64(keys[n])
        if bitmap[key >> _SIX] >> (key & _TOP) & _ONE:
            mm2[n] = 0.0
            continue
        start = key - _CENTRE
        first, shift = start >> _SIX, start & _TOP
        best = np.inf
        for r in range(row_words.size):
            row2 = row_mm2[r]
            if row2 >= best or row2 > reach2:
                break
            word = first + np.uint64(row_words[r])  # unsigned, or each access costs a test
            window = (bitmap[word] >> shift) | ((bitmap[word + _ONE] << _ONE) << (_TOP - shift))
            if window != 0:
                ahead = np.int64(trailing_zeros(window >> _CENTRE))
                back = np.int64(leading_zeros(window << _LEFT))
                along = min(ahead, back) * step_mm
                best = min(best, row2 + along * along)
        if best > reach2:
            best = np.inf
            unresolved += 1
        mm2[n] = best
    return unresolved
