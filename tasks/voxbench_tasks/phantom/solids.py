"""Solids as level functions: below 1 inside, 1 on the surface.

Only additions, multiplications, divisions and square roots enter, which IEEE 754 rounds alike
on every machine; so do all of the phantom's fields.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Point = tuple[float, float, float]
Node = tuple[float, float, float, float]
Matrix = tuple[Point, Point, Point]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Placement(NamedTuple):
    """A similarity: scale and rotate about a pivot, then shift (mm)."""

    pivot: Point
    scale: float
    rotation: Matrix
    shift: Point

    def of(self, point: Sequence[float]) -> Point:
        """Where a point goes."""
        x, y, z = (self.scale * (a - b) for a, b in zip(point, self.pivot, strict=True))
        turned = [row[0] * x + row[1] * y + row[2] * z for row in self.rotation]
        moved = [t + p + s for t, p, s in zip(turned, self.pivot, self.shift, strict=True)]
        return moved[0], moved[1], moved[2]


class Piece(Protocol):
    """A simple solid in mm, RAS."""

    @property
    def bounds(self) -> tuple[Point, Point]:
        """Two corners of a box that holds it."""

    def level(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """The level function at points (mm), same shape as they."""


class Solid(Protocol):
    """A solid that can be placed and falls into pieces."""

    def placed(self, placement: Placement) -> "Solid":
        """The same solid elsewhere."""

    def pieces(self) -> Sequence[Piece]:
        """The simple solids whose union it is."""


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid, possibly turned, bent along its third axis, or box-like.

    Attributes:
        bend: mm by which the first axis is shifted at the ends of the third (a bean, a crescent).
        blunt: use fourth powers, which gives a short cylinder along the third axis.
    """

    centre: Point
    radii: Point
    rotation: Matrix = IDENTITY
    bend: float = 0.0
    blunt: bool = False

    @property
    def bounds(self) -> tuple[Point, Point]:
        """Two corners of a box that holds it."""
        reach = max(self.radii) * (1.25 if self.blunt else 1.0) + abs(self.bend)
        x, y, z = self.centre
        return (x - reach, y - reach, z - reach), (x + reach, y + reach, z + reach)

    def level(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Sum of squared (blunt: fourth-power) normalised coordinates."""
        dx, dy, dz = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        u, v, w = (
            (row[0] * dx + row[1] * dy + row[2] * dz) / radius
            for row, radius in zip(self.rotation, self.radii, strict=True)
        )
        ww = w * w
        u = u - self.bend / self.radii[0] * ww
        side = u * u + v * v
        level: Floats = side * side + ww * ww if self.blunt else side + ww
        return level

    def placed(self, placement: Placement) -> "Ellipsoid":
        """The same solid elsewhere; its rows are the axes, so they turn with it."""
        no_shift = placement._replace(pivot=(0, 0, 0), shift=(0, 0, 0), scale=1.0)
        rows = [no_shift.of(row) for row in self.rotation]
        scale = placement.scale
        return Ellipsoid(
            placement.of(self.centre),
            (self.radii[0] * scale, self.radii[1] * scale, self.radii[2] * scale),
            (rows[0], rows[1], rows[2]),
            self.bend * scale,
            self.blunt,
        )

    def pieces(self) -> tuple["Ellipsoid"]:
        """Itself."""
        return (self,)


@dataclass(frozen=True)
class Capsule:
    """A piece of tube between two points, with a radius at each."""

    start: Point
    end: Point
    start_radius: float
    end_radius: float

    @property
    def bounds(self) -> tuple[Point, Point]:
        """Two corners of a box that holds it."""
        reach = max(self.start_radius, self.end_radius)
        low = [min(a, b) - reach for a, b in zip(self.start, self.end, strict=True)]
        high = [max(a, b) + reach for a, b in zip(self.start, self.end, strict=True)]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def level(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Squared distance from the axis over squared radius there."""
        ax, ay, az = (b - a for a, b in zip(self.start, self.end, strict=True))
        dx, dy, dz = x - self.start[0], y - self.start[1], z - self.start[2]
        length = max(ax * ax + ay * ay + az * az, 1e-6)
        along = np.minimum(np.maximum((dx * ax + dy * ay + dz * az) / length, 0), 1)
        radius = self.start_radius + along * (self.end_radius - self.start_radius)
        dx, dy, dz = dx - along * ax, dy - along * ay, dz - along * az
        level: Floats = (dx * dx + dy * dy + dz * dz) / (radius * radius)
        return level


@dataclass(frozen=True)
class Tube:
    """A Catmull-Rom spline through nodes of x, y, z and radius (mm), as capsules.

    Attributes:
        nodes: at least two.
        steps: capsules between neighbouring nodes.
    """

    nodes: tuple[Node, ...]
    steps: int = 3

    def placed(self, placement: Placement) -> "Tube":
        """The same solid elsewhere."""
        moved = [(*placement.of(node[:3]), node[3] * placement.scale) for node in self.nodes]
        return Tube(tuple(moved), self.steps)

    def pieces(self) -> list[Capsule]:
        """The capsules along the spline."""
        nodes = [self.nodes[0], *self.nodes, self.nodes[-1]]
        path = [self.nodes[0]]
        for before, start, end, after in zip(nodes, nodes[1:], nodes[2:], nodes[3:], strict=False):
            for step in range(1, self.steps + 1):
                columns = zip(before, start, end, after, strict=True)
                x, y, z, radius = (_catmull_rom(*each, step / self.steps) for each in columns)
                path.append((x, y, z, radius))
        return [Capsule(a[:3], b[:3], a[3], b[3]) for a, b in itertools.pairwise(path)]


def _catmull_rom(before: float, start: float, end: float, after: float, t: float) -> float:
    slope = end - before
    curve = 2 * before - 5 * start + 4 * end - after
    cubic = 3 * start - 3 * end + after - before
    return start + 0.5 * t * (slope + t * (curve + t * cubic))


def rotation(x: float, y: float, z: float) -> Matrix:
    """Rotation by the quaternion (1, x, y, z): about 2·|(x, y, z)| radians when small."""
    n = 1 + x * x + y * y + z * z
    return (
        ((1 + x * x - y * y - z * z) / n, 2 * (x * y - z) / n, 2 * (x * z + y) / n),
        (2 * (x * y + z) / n, (1 - x * x + y * y - z * z) / n, 2 * (y * z - x) / n),
        (2 * (x * z - y) / n, 2 * (y * z + x) / n, (1 - x * x - y * y + z * z) / n),
    )
