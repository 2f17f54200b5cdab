"""How many voxels each class has in the prediction, in the reference and in both."""

from typing import Any

import numpy as np

from bench.metrics.kernel import kernel

EIGHT_ONES = np.uint64(0x0101010101010101)
BYTE = np.uint64(0xFF)


@kernel
def count(prediction: Any, reference: Any, counts: Any) -> None:
    """Add the voxels of two flat label maps, eight to a 64-bit word, to `counts` (256, 3) int64.

    Columns: in the prediction only, in the reference only, in both. Words that are uniform and
    agree, which is nearly all of them, are counted as runs.
    """
    words = prediction.size // 8
    p, q = prediction[: words * 8].view(np.uint64), reference[: words * 8].view(np.uint64)
    run, last = 0, np.uint64(0)
    for w in range(words):
        if p[w] == last and q[w] == last:
            run += 8
            continue
        counts[last & BYTE, 2] += run
        run, last = 0, (p[w] & BYTE) * EIGHT_ONES
        if p[w] == last and q[w] == last:
            run = 8
        else:
            _count_each(prediction[8 * w : 8 * w + 8], reference[8 * w : 8 * w + 8], counts)
    counts[last & BYTE, 2] += run
    _count_each(prediction[words * 8 :], reference[words * 8 :], counts)


@kernel
def _count_each(prediction: Any, reference: Any, counts: Any) -> None:
    """Add a few voxels to `counts`, one by one."""
    for v in range(prediction.size):
        if prediction[v] == reference[v]:
            counts[prediction[v], 2] += 1
        else:
            counts[prediction[v], 0] += 1
            counts[reference[v], 1] += 1
