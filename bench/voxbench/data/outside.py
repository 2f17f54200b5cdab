"""What lies outside a volume: nothing, which is air in CT and the dark rim of an MR.

Training, augmentation, prediction and probes see the same wherever they reach beyond a case.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.design.preprocessing import Intensity, Preprocessing, ZScore


def value_outside(channel: NDArray[np.float32], rule: Intensity) -> float:
    """What lies around a prepared channel.

    The lower end of the range that a window or a rescaling clips to, also where a case has no voxel
    as dark (a crop within the liver); the smallest value of a z-scored one, whose 0 is its mean.
    """
    return float(channel.min()) if isinstance(rule, ZScore) else float(rule.to[0])


def told_outside(preprocessing: Preprocessing, channels: int) -> str:
    """What lies around the cases of so many channels, in words."""
    told = (
        "each case's darkest value"
        if isinstance(rule, ZScore)
        else f"{rule.to[0]:g}, the lower end of its range"
        for rule in preprocessing.rules(channels)
    )
    return ", or ".join(dict.fromkeys(told))


def first_voxel(size: int, side: int) -> int:
    """First voxel, at most 0, of a window of `side` voxels around the middle of `size` fewer."""
    return -((side - size) // 2)


def copy_window(
    source: NDArray[Any], corner: Sequence[int], out: NDArray[Any], outside: float
) -> None:
    """Copy a window of `source` (d, h, w) that begins at `corner` into `out`.

    Args:
        source: the volume.
        corner: first voxel; may lie outside, as may the end.
        out: (a, b, c) array that is written.
        outside: value beyond the volume.
    """
    inside, target = [], []
    for size, side, start in zip(source.shape, out.shape, corner, strict=True):
        first, last = max(start, 0), min(start + side, size)
        inside.append(slice(first, last))
        target.append(slice(first - start, last - start))
    if any(part.stop - part.start < side for part, side in zip(target, out.shape, strict=True)):
        out[...] = outside
    out[tuple(target)] = source[tuple(inside)]
