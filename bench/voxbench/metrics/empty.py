"""What a class scores when one of its masks, or both, are empty: decided once, for every metric."""

import math
from collections.abc import Sequence

BOTH, PREDICTION, REFERENCE, FAILED = (
    "both_empty", "prediction_empty", "reference_empty", "failed",
)  # fmt: skip


def flag(voxels_prediction: int, voxels_reference: int) -> str:
    """The flag of a class with so many voxels on either side; "" where both have some."""
    if voxels_prediction and voxels_reference:
        return ""
    if voxels_prediction:
        return REFERENCE
    return PREDICTION if voxels_reference else BOTH


def overlap(flag_: str) -> float:
    """Dice and NSD of an empty class: undefined (NaN) where both are empty, otherwise 0."""
    return math.nan if flag_ == BOTH else 0.0


def distance_mm(flag_: str, shape: Sequence[int], spacing_mm: Sequence[float]) -> float:
    """Distances of an empty class: undefined where both are empty, otherwise the image's diagonal.

    `shape` in voxels and `spacing_mm` along the same axes.
    """
    return (
        math.nan
        if flag_ == BOTH
        else math.hypot(*(n * mm for n, mm in zip(shape, spacing_mm, strict=True)))
    )
