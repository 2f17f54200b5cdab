"""Where the surface of every class lies: corners whose eight voxels are not all of one class.

A site's code says which of the eight belong to its class. Most of a volume is uniform, so a plane
is first compared with its shifted neighbours by a loop that the compiler vectorises; only the few
corners that differ are looked at one by one, all their classes at once.
"""

from typing import Any

import numpy as np

from voxbench.compiled import compiled, trailing_zeros
from voxbench.metrics.packed_bytes import BYTE, equal_bytes, first_byte
from voxbench.metrics.sites import empty_sites, grown_sites, next_marked


@compiled
def corner_sites(
    volume: Any, index: Any, start: int, stop: int, origin: int, rows: int, bits: int
) -> tuple[Any, Any, Any]:
    """Sites of the corners in planes `start:stop` where classes meet, plane after plane.

    `volume` (d, h, w) uint8, `index` (256,) the class of each value, 0 for none; site (i, j, k) has
    the key `origin + (i rows + j) bits + k`. Returns: keys (n,) uint32, classes (n,) uint8 and
    codes (n,) uint8.
    """
    d, h, w = volume.shape
    flat = volume.reshape(d * h * w)
    nothing = np.zeros(h * w, np.uint8)
    changes = np.zeros((h * w + 7) // 8 * 8, np.uint8)
    words = changes.view(np.uint64)
    border = 16 * (h + w + 2)
    keys, classes, codes = empty_sites(border)
    size = 0
    for i in range(start, stop):
        lower = flat[(i - 1) * h * w : i * h * w] if i > 0 else nothing
        upper = flat[i * h * w : (i + 1) * h * w] if i < d else nothing
        base = origin + i * rows * bits
        _differs(lower, upper, w, changes)
        word = 0
        while True:
            keys, classes, codes = grown_sites(keys, classes, codes, size, border)
            word, size = _inner_corners(
                lower, upper, w, words, word, index, base, bits, keys, classes, codes, size
            )
            if word == words.size:
                break
        keys, classes, codes = grown_sites(keys, classes, codes, size, border)
        size = _outer_corners(lower, upper, h, w, index, base, bits, keys, classes, codes, size)
    return keys[:size], classes[:size], codes[:size]


@compiled
def _differs(lower: Any, upper: Any, w: int, changes: Any) -> None:
    """Mark the corners inside a plane whose eight voxels are not all equal; clear the others."""
    n = upper.size - w - 1
    inner = changes[w + 1 :]
    u, u1, u2, u3 = upper[w + 1 :], upper[w:], upper[1:], upper
    v, v1, v2, v3 = lower[w + 1 :], lower[w:], lower[1:], lower
    for k in range(n):
        x = u[k]
        inner[k] = (
            (x ^ u1[k]) | (x ^ u2[k]) | (x ^ u3[k])
            | (x ^ v[k]) | (x ^ v1[k]) | (x ^ v2[k]) | (x ^ v3[k])
        )  # fmt: skip
    for k in range(w + 1):
        changes[k] = 0
    for k in range(0, upper.size, w):
        changes[k] = 0


@compiled
def _inner_corners(
    lower: Any, upper: Any, w: int, words: Any, word: int, index: Any, base: int, bits: int,
    keys: Any, classes: Any, codes: Any, size: int,
) -> tuple[int, int]:  # fmt: skip
    """Write the sites of the marked corners, from `word` on, while there is room for a word's.

    Returns the word to go on with and the new size.
    """
    row = word * 8 // w
    end, key = (row + 1) * w, base + row * (bits - w)
    while word < words.size:
        word = next_marked(words, word)
        if word == words.size or size + 64 > keys.size:
            break
        changed = words[word]
        while changed != 0:
            byte = int(trailing_zeros(changed)) >> 3
            changed &= ~(BYTE << np.uint64(8 * byte))
            n = word * 8 + byte
            while n >= end:
                end, key = end + w, key + bits - w
            eight = (
                np.uint64(upper[n])
                | np.uint64(upper[n - 1]) << np.uint64(8)
                | np.uint64(upper[n - w]) << np.uint64(16)
                | np.uint64(upper[n - w - 1]) << np.uint64(24)
                | np.uint64(lower[n]) << np.uint64(32)
                | np.uint64(lower[n - 1]) << np.uint64(40)
                | np.uint64(lower[n - w]) << np.uint64(48)
                | np.uint64(lower[n - w - 1]) << np.uint64(56)
            )
            size = _emit(eight, key + n, index, keys, classes, codes, size)
        word += 1
    return word, size


@compiled
def _outer_corners(
    lower: Any, upper: Any, h: int, w: int, index: Any, base: int, bits: int,
    keys: Any, classes: Any, codes: Any, size: int,
) -> int:  # fmt: skip
    """Write the sites of the corners on the rim of a plane, where voxels outside count as none."""
    for j in range(h + 1):
        for k in range(0, w + 1, 1 if j == 0 or j == h else w):
            eight = np.uint64(0)
            for corner in range(4):
                y, x = j - (corner >> 1), k - (corner & 1)
                if 0 <= y < h and 0 <= x < w:
                    above, below = np.uint64(upper[y * w + x]), np.uint64(lower[y * w + x])
                    eight |= (above | below << np.uint64(32)) << np.uint64(8 * corner)
            if eight != 0:
                size = _emit(eight, base + j * bits + k, index, keys, classes, codes, size)
    return size


@compiled
def _emit(eight: Any, key: int, index: Any, keys: Any, classes: Any, codes: Any, size: int) -> int:
    """Write a site for each class among the eight values of a corner; returns the new size."""
    pending = ~equal_bytes(eight, np.uint64(0)) & BYTE
    while pending != 0:
        value = first_byte(eight, pending)
        code = equal_bytes(eight, value)
        pending &= ~code
        c = index[value]
        if c != 0:
            keys[size], classes[size], codes[size] = key, c, code
            size += 1
    return size
