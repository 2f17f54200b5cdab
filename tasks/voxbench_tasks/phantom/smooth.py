"""Smooth random fields and filters, free of transcendental functions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxbench_tasks.phantom.solids import Floats

EXTENT_MM = 300.0


def smooth_field(rng: np.random.Generator, axes: Sequence[Floats], step_mm: float) -> Floats:
    """A cubic B-spline through random values on a lattice.

    The lattice spans ±300 mm whatever the axes, so that one patient has one field on any grid.

    Args:
        rng: of the patient.
        axes: coordinates (mm) along the three axes of the grid.
        step_mm: lattice constant, the size of the field's bumps.

    Returns:
        float32 `(x, y, z)`, mostly within ±1.
    """
    nodes = int(2 * EXTENT_MM / step_mm) + 4
    field = (rng.random((nodes, nodes, nodes), np.float32) - np.float32(0.5)) * np.float32(4)
    for axis in (2, 1, 0):  # the last gathers the most, and whole planes
        field = _interpolate(field, axis, (axes[axis] + np.float32(EXTENT_MM)) / step_mm)
    return field


def _interpolate(values: Floats, axis: int, positions: Floats) -> Floats:
    first = np.clip(np.floor(positions).astype(np.intp), 0, values.shape[axis] - 4)
    t = positions - first.astype(np.float32)
    s = 1 - t
    weights = (
        s * s * s / 6,
        (4 - 6 * t * t + 3 * t * t * t) / 6,
        (4 - 6 * s * s + 3 * s * s * s) / 6,
        t * t * t / 6,
    )
    shape = [-1 if each == axis else 1 for each in range(3)]
    terms = [
        weight.reshape(shape) * np.take(values, first + offset, axis=axis)
        for offset, weight in enumerate(weights)
    ]
    return terms[0] + terms[1] + terms[2] + terms[3]


def blur(volume: Floats, weight: float) -> Floats:
    """Filter every axis with (weight, 1 − 2·weight, weight), edges repeated."""
    for axis in range(3):
        lines = np.moveaxis(volume, axis, 0)
        around = np.empty_like(lines)
        around[1:-1] = lines[:-2] + lines[2:]
        around[0], around[-1] = lines[0] + lines[1], lines[-2] + lines[-1]
        volume = np.moveaxis((1 - 2 * weight) * lines + weight * around, 0, axis)
    return volume


def noise(rng: np.random.Generator, shape: tuple[int, ...], grain: float) -> NDArray[np.float32]:
    """Bell-shaped noise of unit deviation, correlated with its neighbours by `grain` (0…0.33)."""
    white = rng.random((3, *shape), np.float32)
    bell = 2 * (white[0] + white[1] + white[2]) - 3
    kept = (1 - 2 * grain) * (1 - 2 * grain) + 2 * grain * grain
    return blur(bell, grain) / np.float32(np.sqrt(kept * kept * kept))
