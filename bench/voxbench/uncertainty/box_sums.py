"""The box of a map with the largest sum, by running sums along one axis after another."""

import math

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import compiled


@compiled
def largest_box(
    u: NDArray[np.float64], sides: tuple[int, int, int]
) -> tuple[float, tuple[int, int, int]]:
    """The largest sum of a box of these sides inside of (d, h, w), and where the first one begins.

    Two planes are held: what the last slices sum to, and of these the last rows.
    """
    depth, height, width = u.shape
    a, b, c = sides
    most, found = -math.inf, (0, 0, 0)
    slices = np.zeros((height, width))
    for z in range(depth):
        slices += u[z]
        if z >= a:
            slices -= u[z - a]
        if z < a - 1:
            continue
        rows = np.zeros(width)
        for y in range(height):
            rows += slices[y]
            if y >= b:
                rows -= slices[y - b]
            if y < b - 1:
                continue
            box = 0.0
            for x in range(width):
                box += rows[x]
                if x >= c:
                    box -= rows[x - c]
                if x >= c - 1 and box > most:
                    most, found = box, (z - a + 1, y - b + 1, x - c + 1)
    return most, found
