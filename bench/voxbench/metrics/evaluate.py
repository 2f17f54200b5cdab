"""Every class of a case at once: Dice, NSD, HD95 and what belongs to them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.cores import threads_each
from voxbench.errors import DataError, SpecError
from voxbench.metrics.case import CaseRequest, ClassMetrics, Definition, count_voxels, score_layer
from voxbench.metrics.empty import FAILED, empty_distance_mm
from voxbench.metrics.labels import LabelValues, Layer, as_bytes, check_maps, in_rows, layered

Tolerance = Mapping[str, float] | float
SMALL = 1 << 18  # voxels below which threads cost more than they save


def evaluate(
    prediction: NDArray[Any],
    reference: NDArray[Any],
    classes: Mapping[str, LabelValues],
    spacing_mm: Sequence[float],
    tolerance_mm: Tolerance,
    definition: Definition = "surface",
    *,
    percentiles: Sequence[float] = (),
    assd: bool = False,
    exact: bool = False,
    threads: int | None = None,
) -> dict[str, ClassMetrics]:
    """Score every class of two label maps (d, h, w) or (h, w) of any integer dtype.

    `classes` maps a name to its label, or to all labels of a region. `spacing_mm` has one number
    per axis, `tolerance_mm` is one number or one per class. `definition` is `surface` (areas of the
    marching-cubes surface, as google-deepmind/surface-distance) or `voxel` (border voxels, as
    MONAI). `percentiles` asks for more Hausdorff distances than HD95 (100 is the plain one), `assd`
    for the mean distance over both boundaries. `exact` compares distances with the tolerance bit by
    bit, as surface-distance does, instead of within `EPSILON`.

    Empty masks: both → NaN, flagged; one → Dice 0, NSD 0 and the image's diagonal, flagged.

    Raises: DataError for arrays that can't be compared, SpecError for options that make no sense.
    """
    spacing = check_maps(prediction, reference, spacing_mm)
    if not exact:
        prediction, reference, spacing = in_rows(prediction, reference, spacing)
    request = _request(
        classes, reference.shape, spacing, tolerance_mm, definition, percentiles, assd, exact
    )
    scores: dict[str, ClassMetrics] = {}
    with _pool(threads, reference.size) as pool:
        run = _runner(pool)
        for layer in layered(classes):
            pair, index = _bytes([prediction, reference], layer, run)
            scores |= score_layer(pair[0], pair[1], layer, index, request, run)
    return {name: scores[name] for name in classes}


def evaluate_masks(
    prediction: Mapping[str, NDArray[Any]],
    reference: Mapping[str, NDArray[Any]],
    spacing_mm: Sequence[float],
    tolerance_mm: Tolerance,
    definition: Definition = "surface",
    **options: Any,
) -> dict[str, ClassMetrics]:
    """Score one mask a class, which may overlap: non-zero is inside. Otherwise as `evaluate`.

    Raises: DataError if `prediction` lacks a class of `reference`, or has one more.
    """
    if prediction.keys() != reference.keys():
        different = ", ".join(sorted(prediction.keys() ^ reference.keys()))
        raise DataError(
            f"prediction and reference must hold the same classes, these are on one side only:"
            f" {different}. Give an empty mask for a class that was not found."
        )
    scores: dict[str, ClassMetrics] = {}
    for name, mask in reference.items():
        pair = np.asarray(prediction[name]) != 0, np.asarray(mask) != 0
        tolerance = {name: _tolerance(tolerance_mm, name)}
        scores |= evaluate(*pair, {name: 1}, spacing_mm, tolerance, definition, **options)
    return scores


def worst(
    reference: NDArray[Any], classes: Mapping[str, LabelValues], spacing_mm: Sequence[float]
) -> dict[str, ClassMetrics]:
    """Scores of a prediction that failed: the worst value of each metric, flagged `failed`.

    `reference` (d, h, w) or (h, w), `spacing_mm` one number per axis.
    """
    spacing = check_maps(reference, reference, spacing_mm)
    diagonal = empty_distance_mm(FAILED, reference.shape, spacing)
    scores: dict[str, ClassMetrics] = {}
    with _pool(None, reference.size) as pool:
        run = _runner(pool)
        for layer in layered(classes):
            pair, index = _bytes([reference, reference], layer, run)
            voxels = count_voxels(pair[0], pair[1], index, run)[:, 1].tolist()
            for name, count in zip(layer.names, voxels, strict=False):
                scores[name] = ClassMetrics(
                    dice=0.0,
                    nsd=0.0,
                    hd95_mm=diagonal,
                    volume_mm3_prediction=0.0,
                    volume_mm3_reference=count * math.prod(spacing),
                    voxels_reference=count,
                    flag=FAILED,
                )
    return {name: scores[name] for name in classes}


def _bytes(
    maps: Sequence[NDArray[Any]], layer: Layer, run: Callable[..., Any]
) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """The maps as bytes, and the class (256,) of the layer, counted from 1, that each byte is."""
    direct = all(layer.is_direct(volume.dtype) for volume in maps)
    index = layer.numbers() if direct else np.arange(256, dtype=np.uint8)
    return [as_bytes(volume, layer, direct, run) for volume in maps], index


def _request(
    classes: Mapping[str, LabelValues],
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    tolerance_mm: Tolerance,
    definition: Definition,
    percentiles: Sequence[float],
    assd: bool,
    exact: bool,
) -> CaseRequest:
    """Check the options once."""
    if definition not in ("surface", "voxel"):
        raise SpecError(f"definition must be 'surface' or 'voxel', got {definition!r}.")
    if not all(0 <= percent <= 100 for percent in percentiles):
        raise SpecError(f"percentiles must lie between 0 and 100, got {list(percentiles)}.")
    tolerances = {name: _tolerance(tolerance_mm, name) for name in classes}
    return CaseRequest(
        shape, spacing_mm, tolerances, definition, (95.0, *map(float, percentiles)), assd, exact
    )


def _tolerance(tolerance_mm: Tolerance, name: str) -> float:
    """The tolerance of one class in mm."""
    if isinstance(tolerance_mm, Mapping):
        if name not in tolerance_mm:
            raise SpecError(f"tolerance_mm has no entry for class {name!r}: add one, in mm.")
        tolerance_mm = tolerance_mm[name]
    if not 0 <= tolerance_mm < math.inf:
        raise SpecError(f"the tolerance of {name!r} must be 0 mm or more, got {tolerance_mm}.")
    return float(tolerance_mm)


def _pool(threads: int | None, voxels: int) -> AbstractContextManager[ThreadPoolExecutor | None]:
    """Threads to work with; None where one is enough."""
    wanted = threads or min(threads_each(1), 8)
    return ThreadPoolExecutor(wanted) if wanted > 1 and voxels > SMALL else nullcontext()


def _runner(pool: ThreadPoolExecutor | None) -> Callable[..., list[Any]]:
    """A map over arguments that returns a list, in the threads of `pool` if there are any."""

    def run(function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        return list((pool.map if pool else map)(function, arguments))

    return run
