"""A patient: habitus, organ placement and warp, painted on any grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench_tasks.phantom.canvas import Canvas
from voxbench_tasks.phantom.organs import Organ, organs
from voxbench_tasks.phantom.smooth import smooth_field
from voxbench_tasks.phantom.solids import Ellipsoid, Floats, Placement, Point, Solid, Tube, rotation
from voxbench_tasks.phantom.tissues import CODES, Phase, hounsfield
from voxbench_tasks.phantom.uniform import uniform, uniform_point


@dataclass(frozen=True)
class Patient:
    """Who is scanned; two scans of one patient share all of this.

    Attributes:
        seed: of the patient's own random stream.
        female: has a uterus and no prostate.
        gall_bladder: false after its removal.
        lesions: how many lie in the liver.
    """

    seed: tuple[int, ...]
    female: bool = False
    gall_bladder: bool = True
    lesions: int = 0

    def painted(self, world: Sequence[Floats], phase: Phase) -> Canvas:
        """Paint the patient.

        Args:
            world: float32 coordinates (mm, RAS) along the axes of the grid.
            phase: of the contrast agent.
        """
        rng = np.random.default_rng(self.seed)
        size = uniform_point(rng, 0.08, middle=1.0)
        fat_mm = 5 + 22 * rng.random() * rng.random()
        axes = [axis / factor for axis, factor in zip(world, size, strict=True)]
        points, texture = _warped(rng, axes), smooth_field(rng, axes, 28)
        canvas = Canvas(axes, points, texture, *hounsfield(phase, rng))
        _trunk(canvas, fat_mm)
        placements: dict[str, Placement] = {}
        for organ in organs(self.female, self.gall_bladder):
            if organ.group not in placements:
                placements[organ.group] = _placement(rng, organ)
            solids = [_loosened(rng, solid, organ.loose) for solid in organ.solids]
            moved = [solid.placed(placements[organ.group]) for solid in solids]
            canvas.paint(organ.tissue, moved, organ.onto)
        for _ in range(self.lesions):
            _lesion(rng, canvas)
        return canvas


def _warped(rng: np.random.Generator, axes: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
    """Model coordinates of every voxel: two scales of smooth displacement."""
    x, y, z = (
        axis.reshape([-1 if k == j else 1 for k in range(3)])
        + 5 * smooth_field(rng, axes, 90)
        + 2.5 * smooth_field(rng, axes, 32)
        for j, axis in enumerate(axes)
    )
    return x, y, z


def _trunk(canvas: Canvas, fat_mm: float) -> None:
    """Fill fat, muscle, the cavity's fat and the ribs."""
    x, y, z = canvas.points
    hips = np.clip((-90 - z) / 80, 0, 1)
    canvas.fill("subcutaneous_fat", _oval(x, y + 8, 130 + 6 * hips + fat_mm, 99 + fat_mm) < 1)
    wall = _oval(x, y + 8, 130 + 6 * hips, 99)
    canvas.fill("muscle", (wall < 1) & ((wall > 0.9) | (canvas.texture < 0.8)))
    cavity = _oval(x, y - 4, 118 - 46 * hips, 79 - 14 * hips)
    canvas.fill("visceral_fat", (cavity < 1) & (z > -214))
    slanted = (z - 0.5 * y) / 29
    ribs = (slanted - np.floor(slanted) < 0.38) & (z > 14 + 0.6 * y)
    canvas.fill("bone", ribs & (wall > 0.76) & (wall < 0.93) & (cavity >= 1))


def _oval(x: Floats, y: Floats, half_width: Floats, half_depth: Floats | float) -> Floats:
    u, v = x / half_width, y / half_depth
    u, v = u * u, v * v
    level: Floats = 0.6 * (u + v) + 0.4 * (u * u + v * v)
    return level


def _placement(rng: np.random.Generator, organ: Organ) -> Placement:
    """How the group of this organ is moved in this patient."""
    bounds = np.array([piece.bounds for solid in organ.solids for piece in solid.pieces()])
    x, y, z = ((bounds[:, 0].min(axis=0) + bounds[:, 1].max(axis=0)) / 2).tolist()
    free = min(1.0, organ.vary / 0.1)
    turn = rotation(*uniform_point(rng, 0.1 * free))
    scale = uniform(rng, 1 - organ.vary, 1 + organ.vary)
    return Placement((x, y, z), scale, turn, uniform_point(rng, 6 * free))


def _loosened(rng: np.random.Generator, solid: Solid, reach_mm: float) -> Solid:
    """The same tube with every node moved on its own."""
    if not isinstance(solid, Tube) or reach_mm == 0:
        return solid
    nodes = [(*_plus(node[:3], uniform_point(rng, reach_mm)), node[3]) for node in solid.nodes]
    return Tube(tuple(nodes), solid.steps)


def _lesion(rng: np.random.Generator, canvas: Canvas) -> None:
    """Paint one darker blob of two lobes somewhere in the liver."""
    voxels = np.flatnonzero(canvas.tissue == CODES["liver"])
    voxel = voxels[int(rng.integers(len(voxels)))]
    x, y, z = (float(point.flat[voxel]) for point in canvas.points)
    radius = uniform(rng, 8, 30)
    lobes = []
    for _ in range(2):
        centre = _plus((x, y, z), uniform_point(rng, 0.4 * radius))
        radii = uniform_point(rng, 0.2 * radius, middle=0.95 * radius)
        lobes.append(Ellipsoid(centre, radii, rotation(*uniform_point(rng, 0.5))))
    contrast = min(uniform(rng, -15, 35) - float(canvas.core[CODES["liver"]]), -60)
    canvas.paint("liver_lesion", lobes, onto=("liver", "hepatic_vessel"), contrast=contrast)


def _plus(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]
