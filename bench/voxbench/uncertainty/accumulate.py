"""The loops of `measures`: every probability is read once, and nothing is kept between them.

A row of voxels is worked on class by class while its sums stay in the processor's nearest cache.
The logarithm is that of Cephes (Moshier 1992, `logf`) without its branches, so that it is computed
of many voxels at once; it is within 1e-7 of 64 bits where it is multiplied by its probability.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from numba import int32
from numba.cpython.unsafe.numbers import viewer
from numpy.typing import NDArray

from voxbench.compiled import compiled

SUM_ERROR = 0.01  # how far the probabilities of a voxel may be from 1, as 16-bit numbers are
_ROW = 8192  # voxels: fewer leave the processor waiting, whose foresight ends with a page
_ROOT = np.int32(0x3F3504F3)  # √½ as bits; a mantissa is taken from there to √2
_FRACTION = np.int32(0x7FFFFF)
_LOG_2 = np.float32(math.log(2))

Float32 = NDArray[np.float32]
_fused = partial(compiled, fused=True)


@_fused
def _term(p: Any) -> Any:
    """−p log p of p in 0 … 1."""
    above = np.int32(viewer(p, int32) - _ROOT)
    power = np.float32(above >> np.int32(23))
    x = viewer(np.int32((above & _FRACTION) + _ROOT), np.float32) - np.float32(1.0)
    y = np.float32(7.0376836292e-2)
    y = y * x + np.float32(-1.1514610310e-1)
    y = y * x + np.float32(1.1676998740e-1)
    y = y * x + np.float32(-1.2420140846e-1)
    y = y * x + np.float32(1.4249322787e-1)
    y = y * x + np.float32(-1.6668057665e-1)
    y = y * x + np.float32(2.0000714765e-1)
    y = y * x + np.float32(-2.4999993993e-1)
    y = y * x + np.float32(3.3333331174e-1)
    y = (y * x - np.float32(0.5)) * x * x + x
    return -p * (power * _LOG_2 + y)


@_fused
def take_member(p: Float32, sums: Float32, entropy: Float32, start: tuple[int, int, int]) -> bool:
    """Add probabilities to their sums, and their entropies; whether all are probabilities.

    Args:
        p: (class, d, h, w), of a box.
        sums: (class, depth, height, width).
        entropy: (depth, height, width).
        start: of the box along each axis.
    """
    z0, y0, x0 = start
    classes, depth, height, width = p.shape
    total = np.empty(_ROW, np.float32)
    terms = np.empty(_ROW, np.float32)
    error, fine = np.float32(SUM_ERROR), True
    for row in range(depth * height):
        z, y = row // height, row % height
        for begin in range(0, width, _ROW):
            n = min(_ROW, width - begin)
            total[:n] = np.float32(0.0)
            terms[:n] = np.float32(0.0)
            for c in range(classes):
                given = p[c, z, y, begin : begin + n]
                kept = sums[c, z0 + z, y0 + y, x0 + begin : x0 + begin + n]
                for i in range(n):
                    value = given[i]
                    clipped = min(max(value, np.float32(0.0)), np.float32(1.0))
                    fine &= abs(value - clipped) <= error  # NaN is not
                    total[i] += value
                    kept[i] += clipped
                    terms[i] += _term(clipped)
            found = entropy[z0 + z, y0 + y, x0 + begin : x0 + begin + n]
            for i in range(n):
                found[i] += terms[i]
                fine &= abs(total[i] - np.float32(1.0)) <= error
    return fine


@_fused
def take_classes(p: Float32, sums: Float32, start: tuple[int, int, int]) -> None:
    """Add the entropy of each class against the rest, (class, depth, height, width).

    Args:
        p: (class, d, h, w), of a box.
        sums: (class, depth, height, width).
        start: of the box along each axis.
    """
    z0, y0, x0 = start
    classes, depth, height, width = p.shape
    for c in range(classes):
        for row in range(depth * height):
            z, y = row // height, row % height
            given, kept = p[c, z, y], sums[c, z0 + z, y0 + y, x0 : x0 + width]
            for i in range(width):
                clipped = min(max(given[i], np.float32(0.0)), np.float32(1.0))
                kept[i] += _term(clipped) + _term(np.float32(1.0) - clipped)


@_fused
def mean_entropy(sums: Float32, share: np.float32, entropy: Float32, largest: Float32) -> None:
    """The entropy of the mean over members, and its largest probability, (voxel,) each.

    Args:
        sums: (class, voxel).
        share: of a member: 1 / members.
        entropy: is filled.
        largest: is filled.
    """
    classes, voxels = sums.shape
    for begin in range(0, voxels, _ROW):
        n = min(_ROW, voxels - begin)
        found, most = entropy[begin : begin + n], largest[begin : begin + n]
        found[:] = np.float32(0.0)
        most[:] = np.float32(0.0)
        for c in range(classes):
            given = sums[c, begin : begin + n]
            for i in range(n):
                p = min(given[i] * share, np.float32(1.0))
                found[i] += _term(p)
                most[i] = max(most[i], p)
