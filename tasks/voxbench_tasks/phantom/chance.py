"""Uniform draws whose rounding no compiler can change (`Generator.uniform` may be fused)."""

import numpy as np

from voxbench_tasks.phantom.shapes import Point


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """One number in [low, high)."""
    return low + (high - low) * rng.random()


def three(rng: np.random.Generator, reach: float, middle: float = 0.0) -> Point:
    """Three numbers within `reach` of `middle`."""
    x, y, z = (between(rng, middle - reach, middle + reach) for _ in range(3))
    return x, y, z
