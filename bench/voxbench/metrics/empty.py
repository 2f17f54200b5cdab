"""What a class scores when one of its masks, or both, are empty: decided once, for every metric."""

import math
from collections.abc import Sequence

BOTH_EMPTY = "both_empty"
PREDICTION_EMPTY = "prediction_empty"
REFERENCE_EMPTY = "reference_empty"
FAILED = "failed"


def empty_flag(voxels_prediction: int, voxels_reference: int) -> str:
    """The flag of a class with so many voxels on either side; "" where both have some."""
    if voxels_prediction and voxels_reference:
        return ""
    if voxels_prediction:
        return REFERENCE_EMPTY
    return PREDICTION_EMPTY if voxels_reference else BOTH_EMPTY


def empty_overlap(flag: str) -> float:
    """Dice and NSD of an empty class: undefined (NaN) where both are empty, otherwise 0."""
    return math.nan if flag == BOTH_EMPTY else 0.0


def empty_distance_mm(flag: str, shape: Sequence[int], spacing_mm: Sequence[float]) -> float:
    """Distances of an empty class: undefined where both are empty, otherwise the image's diagonal.

    `shape` in voxels and `spacing_mm` along the same axes.
    """
    return (
        math.nan
        if flag == BOTH_EMPTY
        else math.hypot(*(n * mm for n, mm in zip(shape, spacing_mm, strict=True)))
    )
