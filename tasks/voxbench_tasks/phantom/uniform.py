"""Uniform draws whose rounding no compiler can change (`Generator.uniform` may be fused)."""

import numpy as np

from voxbench_tasks.phantom.solids import Point


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """One number in [low, high)."""
    return low + (high - low) * rng.random()


def uniform_point(rng: np.random.Generator, reach: float, middle: float = 0.0) -> Point:
    """Three numbers within `reach` of `middle`."""
    x, y, z = (uniform(rng, middle - reach, middle + reach) for _ in range(3))
    return x, y, z
