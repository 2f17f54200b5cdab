"""Sites, the points that a boundary is measured at: where they lie, and lists of them.

A site is a lattice point with a code. Under `surface` it is a corner between voxels, under `voxel`
a voxel. Its key is its bit in a padded bitmap of the lattice, so that the search for neighbours
needs no coordinates.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled

MARGIN = 64  # free bits at either end of a row, so that a search window never leaves its row


class Lattice(NamedTuple):
    """Sites as bits of a padded bitmap.

    Site (i, j, k) is bit `((i + pad_i) rows + j + pad_j) bits + k + MARGIN`. Pads are in lattice
    points, `bits` per row is a multiple of 64.
    """

    shape: tuple[int, int, int]
    pad_i: int
    pad_j: int

    @property
    def rows(self) -> int:
        """Rows in a plane, padding included."""
        return self.shape[1] + 2 * self.pad_j

    @property
    def bits(self) -> int:
        """Bits in a row, margins included."""
        return (self.shape[2] + 2 * MARGIN + 63) // 64 * 64

    @property
    def words(self) -> int:
        """64-bit words of the whole bitmap."""
        return (self.shape[0] + 2 * self.pad_i) * self.rows * (self.bits // 64)

    def coordinates(self, keys: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Lattice indices (3, n) of the sites `keys` (n,)."""
        row, k = np.divmod(keys.astype(np.int64), self.bits)
        i, j = np.divmod(row, self.rows)
        return np.stack([i - self.pad_i, j - self.pad_j, k - MARGIN]).astype(np.int32)


@compiled
def empty_sites(n: int) -> tuple[Any, Any, Any]:
    """Uninitialised sites for `n`."""
    return np.empty(n, np.uint32), np.empty(n, np.uint8), np.empty(n, np.uint8)


@compiled
def grown_sites(keys: Any, classes: Any, codes: Any, size: int, more: int) -> tuple[Any, Any, Any]:
    """The arrays with room for `more` sites after `size`, at least doubled where they must grow."""
    if size + more <= keys.size:
        return keys, classes, codes
    k, c, o = empty_sites(2 * keys.size + more)
    for n in range(size):
        k[n], c[n], o[n] = keys[n], classes[n], codes[n]
    return k, c, o


@compiled
def next_marked(words: Any, word: int) -> int:
    """The first word from `word` on that is not zero, `words.size` if there is none."""
    while word + 8 <= words.size and not (
        words[word] | words[word + 1] | words[word + 2] | words[word + 3]
        | words[word + 4] | words[word + 5] | words[word + 6] | words[word + 7]
    ):  # fmt: skip
        word += 8
    while word < words.size and words[word] == 0:
        word += 1
    return word


@compiled
def count_by_class(classes: Any, sizes: Any) -> None:
    """Add the sites of each class to `sizes` (256,) int64."""
    for n in range(classes.size):
        sizes[classes[n]] += 1


@compiled
def sort_by_class(
    keys: Any, classes: Any, codes: Any, cursor: Any, sorted_keys: Any, sorted_codes: Any
) -> None:
    """Write sites where their class's `cursor` (256,) stands, and move it on: a counting sort."""
    for n in range(keys.size):
        at = cursor[classes[n]]
        sorted_keys[at], sorted_codes[at] = keys[n], codes[n]
        cursor[classes[n]] = at + 1
