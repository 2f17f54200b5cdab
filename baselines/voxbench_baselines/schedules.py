"""Schedules of pre-training, and the limits on them, that several strategies share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voxbench.toolkit import Pretraining

NNSSL: Mapping[str, object] = {
    "steps": 250_000,
    "optimiser": "sgd",
    "momentum": 0.99,
    "learning_rate": 1e-2,
    "weight_decay": 3e-5,
    "warmup": 0.0,
    "schedule": "poly",
}
"""What all trainers of nnssl share (Wald et al., An OpenMind for 3D medical vision self-supervised
learning, 2024)."""


def unfit_crop(crop: int, schedule: "Pretraining") -> str | None:
    """Why crops of so many voxels a side can't be cut from the patch; None if they can."""
    least = min(schedule.patch)
    if crop <= least:
        return None
    return (
        f"crop = {crop} is larger than a side of patch {schedule.patch}; set crop to {least} or "
        "less, or a larger pretraining.patch."
    )
