"""How many voxels each class has in the prediction, in the reference and in both."""

from typing import Any

import numpy as np

from voxbench.compiled import compiled
from voxbench.metrics.packed_bytes import BYTE, EIGHT_ONES, equal_bytes, first_byte

BITS = np.array([bits.bit_count() for bits in range(256)])
NONE = np.uint64(0)


@compiled
def count_overlap(prediction: Any, reference: Any, counts: Any) -> None:
    """Add the voxels of two flat label maps, eight to a 64-bit word, to `counts` (256, 3) int64.

    Columns: in the prediction only, in the reference only, in both. Words that are uniform and
    agree, which is nearly all of them, are counted as runs.
    """
    words = prediction.size // 8
    p, q = prediction[: words * 8].view(np.uint64), reference[: words * 8].view(np.uint64)
    run, last = 0, NONE
    for w in range(words):
        if p[w] == last and q[w] == last:
            run += 8
            continue
        counts[last & BYTE, 2] += run
        run, last = 0, (p[w] & BYTE) * EIGHT_ONES
        if p[w] == last and q[w] == last:
            run = 8
        else:
            _count_eight(p[w], q[w], counts)
    counts[last & BYTE, 2] += run
    for v in range(words * 8, prediction.size):
        if prediction[v] == reference[v]:
            counts[prediction[v], 2] += 1
        else:
            counts[prediction[v], 0] += 1
            counts[reference[v], 1] += 1


@compiled
def _count_eight(p: Any, q: Any, counts: Any) -> None:
    """Add eight voxels to `counts`, all that hold one value at a time."""
    agree = equal_bytes(p ^ q, NONE)
    pending = BYTE
    while pending != NONE:
        value = first_byte(p, pending)
        its = equal_bytes(p, value)
        counts[value, 0] += BITS[its & ~agree]
        counts[value, 2] += BITS[its & agree]
        pending &= ~its
    pending = BYTE & ~agree
    while pending != NONE:
        value = first_byte(q, pending)
        its = equal_bytes(q, value) & pending
        counts[value, 1] += BITS[its]
        pending &= ~its
