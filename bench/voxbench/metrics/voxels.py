"""Where the border of every class lies: voxels with a face neighbour of another class.

As in `corners`, a vectorised comparison of whole planes marks the few voxels that are looked at.
"""

from typing import Any

import numpy as np

from voxbench.compiled import compiled, trailing_zeros
from voxbench.metrics.packed_bytes import BYTE
from voxbench.metrics.sites import empty_sites, grown_sites, next_marked


@compiled
def voxel_sites(
    volume: Any, index: Any, start: int, stop: int, origin: int, rows: int, bits: int
) -> tuple[Any, Any, Any]:
    """Sites of the border voxels in planes `start:stop`, as `corner_sites`; every code is 1."""
    d, h, w = volume.shape
    flat = volume.reshape(d * h * w)
    nothing = np.zeros(h * w, np.uint8)
    changes = np.zeros((h * w + 7) // 8 * 8, np.uint8)
    words = changes.view(np.uint64)
    keys, classes, codes = empty_sites(1024)
    size = 0
    for i in range(start, stop):
        here = flat[i * h * w : (i + 1) * h * w]
        lower = flat[(i - 1) * h * w : i * h * w] if i > 0 else nothing
        upper = flat[(i + 1) * h * w : (i + 2) * h * w] if i < d - 1 else nothing
        base = origin + i * rows * bits
        _exposed(lower, here, upper, h, w, changes)
        word = 0
        while True:
            keys, classes, codes = grown_sites(keys, classes, codes, size, 1024)
            word, size = _voxels(
                here, w, words, word, index, base, bits, keys, classes, codes, size
            )
            if word == words.size:
                break
    return keys[:size], classes[:size], codes[:size]


@compiled
def _exposed(lower: Any, here: Any, upper: Any, h: int, w: int, changes: Any) -> None:
    """Mark the voxels of a plane that differ from a face neighbour, and all on its rim."""
    n = here.size - 2 * w
    inner = changes[w:]
    x, below, above = here[w:], lower[w:], upper[w:]
    left, right, before, behind = here[w - 1 :], here[w + 1 :], here, here[2 * w :]
    for k in range(n):
        v = x[k]
        inner[k] = (
            (v ^ left[k]) | (v ^ right[k]) | (v ^ before[k])
            | (v ^ behind[k]) | (v ^ below[k]) | (v ^ above[k])
        )  # fmt: skip
    for k in range(w):
        changes[k], changes[(h - 1) * w + k] = 1, 1
    for k in range(0, h * w, w):
        changes[k], changes[k + w - 1] = 1, 1


@compiled
def _voxels(
    here: Any, w: int, words: Any, word: int, index: Any, base: int, bits: int,
    keys: Any, classes: Any, codes: Any, size: int,
) -> tuple[int, int]:  # fmt: skip
    """Write the sites of the marked voxels; otherwise as `_inner_corners`."""
    row = word * 8 // w
    end, key = (row + 1) * w, base + row * (bits - w)
    while word < words.size:
        word = next_marked(words, word)
        if word == words.size or size + 8 > keys.size:
            break
        changed = words[word]
        while changed != 0:
            byte = int(trailing_zeros(changed)) >> 3
            changed &= ~(BYTE << np.uint64(8 * byte))
            n = word * 8 + byte
            c = index[here[n]]
            while n >= end:
                end, key = end + w, key + bits - w
            if c != 0:
                keys[size], classes[size], codes[size] = key + n, c, 1
                size += 1
        word += 1
    return word, size
