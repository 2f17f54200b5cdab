"""One label map against another: count, find the boundaries, compare them class by class."""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import read_only
from voxbench.errors import DataError
from voxbench.metrics.areas import contour_lengths, surface_areas
from voxbench.metrics.bitmap_search import WINDOW, rows_within
from voxbench.metrics.corners import corner_sites
from voxbench.metrics.empty import empty_distance_mm, empty_flag, empty_overlap
from voxbench.metrics.labels import Layer
from voxbench.metrics.overlap import count_overlap
from voxbench.metrics.sites import MARGIN, Lattice, count_by_class, sort_by_class
from voxbench.metrics.surface import (
    Bitmaps,
    Boundary,
    ClassRequest,
    DirectedDistances,
    Geometry,
    directed_distances,
)
from voxbench.metrics.voxels import voxel_sites

Definition = Literal["surface", "voxel"]
ParallelMap = Callable[..., list[Any]]

EPSILON = 1e-6
"""A distance counts as within a tolerance up to this relative excess. Spacings are stored as
float32 (6e-8 relative), and three voxels of 0.8 mm are 2.4000000000000004 mm: without it, rounding
would decide whether a distance equals its tolerance."""
SEARCHED_ROWS = 120  # rows that the search nearby looks through: a radius of about six voxels
PIECES = 8  # a volume is scanned in so many slabs, for the threads to share


class ClassMetrics(NamedTuple):
    """Scores of one class in one case.

    Distances in mm, volumes in mm³ (mm² in 2D), boundaries in mm² (mm in 2D; border voxels under
    `voxel`). `hd_mm` holds the percentiles that were asked for, `assd_mm` is NaN unless asked for.
    """

    dice: float
    nsd: float
    hd95_mm: float
    volume_mm3_prediction: float
    volume_mm3_reference: float
    boundary_prediction: float = math.nan
    boundary_reference: float = math.nan
    assd_mm: float = math.nan
    hd_mm: Mapping[float, float] = {}
    voxels_prediction: int = 0
    voxels_reference: int = 0
    voxels_both: int = 0
    flag: str = ""


class CaseRequest(NamedTuple):
    """What is asked, and of which image: shape in voxels and spacing in mm as they came in."""

    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    tolerance_mm: Mapping[str, float]
    definition: Definition
    percentiles: tuple[float, ...]
    assd: bool
    exact: bool


def score_layer(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    layer: Layer,
    index: NDArray[np.uint8],
    request: CaseRequest,
    run: ParallelMap,
) -> dict[str, ClassMetrics]:
    """Score the classes of `layer` in two contiguous maps; `index` (256,) numbers them from 1."""
    voxels = count_voxels(prediction, reference, index, run)
    flat = prediction.ndim == 2
    if flat:  # a slice stacked on itself has the slice's contour as its surface
        prediction, reference = (read_only(np.stack([v] * 3)) for v in (prediction, reference))
    geometry = _geometry(prediction.shape, request, flat)
    sides = [
        _boundaries(volume, index, geometry.lattice, request.definition, run)
        for volume in (prediction, reference)
    ]
    measured = _measure(sides[0], sides[1], layer, geometry, request, run)
    return {
        name: _class_score(
            voxels[n], [side[n] for side in sides], measured.get(n), geometry, request
        )
        for n, name in enumerate(layer.names)
    }


def count_voxels(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    index: NDArray[np.uint8],
    run: ParallelMap,
) -> NDArray[np.int64]:
    """Voxels (class, 3) of every class: in the prediction, in the reference, in both."""
    p, q = prediction.reshape(-1), reference.reshape(-1)
    counts = np.zeros((PIECES, 256, 3), np.int64)
    step = -(-p.size // PIECES // 8) * 8 + 8

    def piece(n: int) -> None:
        part = slice(n * step, (n + 1) * step)
        count_overlap(p[part], q[part], counts[n])

    run(piece, range(PIECES))
    per_class = np.zeros((256, 3), np.int64)
    np.add.at(per_class, index, counts.sum(axis=0))
    per_class[:, :2] += per_class[:, 2:]
    return per_class[1:]


def _geometry(shape: tuple[int, ...], request: CaseRequest, flat: bool) -> Geometry:
    """The lattice of a stack of `shape` (d, h, w), and how far around a site to search."""
    *first, s1, s2 = request.spacing_mm
    spacing = (first[0] if first else s1, s1, s2)
    reach_mm = min(
        math.sqrt(SEARCHED_ROWS / math.pi * spacing[0] * spacing[1]), WINDOW * spacing[2]
    )
    corners = request.definition == "surface"
    planes, *rest = (n + corners for n in shape)
    lattice = Lattice(
        (1 if flat else planes, rest[0], rest[1]),
        0 if flat else int(reach_mm / spacing[0]),
        int(reach_mm / spacing[1]),
    )
    if lattice.words >= 1 << 26:
        raise DataError(
            f"a volume of {request.shape} voxels is too large (about 4 thousand million lattice"
            " points at most): score it in parts."
        )
    if corners:
        measure = contour_lengths(spacing[1:]) if flat else surface_areas(spacing)
    else:
        measure = np.ones(256)
    rows = rows_within(reach_mm, lattice, spacing)
    return Geometry(lattice, np.array(spacing), rows, measure, weighted=corners)


def _boundaries(
    volume: NDArray[np.uint8],
    index: NDArray[np.uint8],
    lattice: Lattice,
    definition: Definition,
    run: ParallelMap,
) -> list[Boundary]:
    """The boundary of every class: the sites of all, found in one pass and sorted by class."""
    scan = corner_sites if definition == "surface" else voxel_sites
    planes = lattice.shape[0]
    first = 1 if len(volume) == 3 and planes == 1 else 0  # the middle of a stacked slice
    origin = ((lattice.pad_i - first) * lattice.rows + lattice.pad_j) * lattice.bits + MARGIN
    cuts = np.linspace(first, first + planes, min(PIECES, planes) + 1).astype(int).tolist()
    found = run(
        lambda n: scan(volume, index, cuts[n], cuts[n + 1], origin, lattice.rows, lattice.bits),
        range(len(cuts) - 1),
    )
    counts = np.zeros((len(found), 256), np.int64)
    run(lambda n: count_by_class(found[n][1], counts[n]), range(len(found)))
    ends = np.cumsum(counts.T.ravel())  # the sites of a class lie together, slab after slab
    cursor = np.ascontiguousarray((ends - counts.T.ravel()).reshape(256, -1).T)
    keys, codes = np.empty(ends[-1], np.uint32), np.empty(ends[-1], np.uint8)

    def sort(n: int) -> None:
        their_keys, classes, their_codes = found[n]
        sort_by_class(their_keys, classes, their_codes, cursor[n], keys, codes)

    run(sort, range(len(found)))
    last = ends.reshape(256, -1)[:, -1]
    return [Boundary(keys[start:stop], codes[start:stop]) for start, stop in pairwise(last)]


def _measure(
    prediction: list[Boundary],
    reference: list[Boundary],
    layer: Layer,
    geometry: Geometry,
    request: CaseRequest,
    run: ParallelMap,
) -> dict[int, tuple[DirectedDistances, DirectedDistances]]:
    """Compare the boundaries of each class that both sides have, the largest first."""
    bitmaps = Bitmaps(geometry.lattice.words)
    excess = 1.0 if request.exact else 1.0 + EPSILON
    pairs = {
        n: (prediction[n], reference[n])
        for n in range(len(layer.names))
        if prediction[n].keys.size and reference[n].keys.size
    }
    tasks = [(n, way) for n in pairs for way in (1, -1)]
    tasks.sort(key=lambda task: -sum(side.keys.size for side in pairs[task[0]]))

    def measure(task: tuple[int, int]) -> DirectedDistances:
        n, way = task
        source, target = pairs[n][::way]
        asked = ClassRequest(
            request.tolerance_mm[layer.names[n]] * excess, request.percentiles, request.assd
        )
        return directed_distances(source, target, geometry, asked, bitmaps)

    found = dict(zip(tasks, run(measure, tasks), strict=True))
    return {n: (found[n, 1], found[n, -1]) for n in pairs}


def _class_score(
    voxels: NDArray[np.int64],
    sides: list[Boundary],
    measured: tuple[DirectedDistances, DirectedDistances] | None,
    geometry: Geometry,
    request: CaseRequest,
) -> ClassMetrics:
    """Put the numbers of one class together, or what the policy says where a side lacks it."""
    in_prediction, in_reference, in_both = (int(n) for n in voxels)
    flag = empty_flag(in_prediction, in_reference)
    if measured:
        there, back = measured
        boundaries = [there.total, back.total]
        dice = 2 * in_both / (in_prediction + in_reference)
        nsd = (there.within + back.within) / sum(boundaries)
        assd_mm = (there.distance_sum + back.distance_sum) / sum(boundaries)
        distances = [max(pair) for pair in zip(there.hd_mm, back.hd_mm, strict=True)]
    else:
        boundaries = [float(geometry.measure[side.codes].sum()) for side in sides]
        dice = nsd = empty_overlap(flag)
        mm = empty_distance_mm(flag, request.shape, request.spacing_mm)
        assd_mm = mm if request.assd else math.nan
        distances = [mm] * len(request.percentiles)
    volume = math.prod(request.spacing_mm)
    hd_mm = dict(zip(request.percentiles, distances, strict=True))
    return ClassMetrics(
        dice=dice,
        nsd=nsd,
        hd95_mm=hd_mm[95.0],
        volume_mm3_prediction=in_prediction * volume,
        volume_mm3_reference=in_reference * volume,
        boundary_prediction=boundaries[0],
        boundary_reference=boundaries[1],
        assd_mm=assd_mm,
        hd_mm=hd_mm,
        voxels_prediction=in_prediction,
        voxels_reference=in_reference,
        voxels_both=in_both,
        flag=flag,
    )
