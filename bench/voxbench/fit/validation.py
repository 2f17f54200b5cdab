"""How a training fares on patches of the validation cases: what it is watched by in passing."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from voxbench.api import IGNORED
from voxbench.data.cell_data import CellData
from voxbench.data.patches import Batch, Patches
from voxbench.design.recipe import Recipe
from voxbench.design.seeds import stream

_BATCHES, _SIZE = 4, 4  # of the patches of a validation


def patch_dice(
    network: nn.Module, data: CellData, recipe: Recipe, device: str
) -> Callable[[], float] | None:
    """What gives the Dice of 16 patches of the validation cases, pooled over them.

    As nnU-Net watches its trainings (Isensee et al., Nature Methods 2021): the voxels of all
    patches are counted together, class by class; the mean is over the classes that are in sight,
    NaN where none is. The patches are drawn as those of the recipe, the same at every step and for
    every arm and seed, and are not augmented.

    Args:
        network: on its device; used as it is, in evaluation mode.
        data: gives the cases.
        recipe: gives patch, share of the foreground and precision.
        device: "cpu" or "cuda:N".

    Returns:
        None where there is no validation case.
    """
    cases = [data.prepared[case.id] for case in data.validation]
    if not cases:
        return None
    classes = data.card.parts
    drawn = Patches(cases, classes, recipe.patch, _SIZE, recipe.foreground, stream("validation"))

    def validate() -> float:
        counts = np.zeros((2, len(classes)))
        for step in range(_BATCHES):
            batch = drawn.batch(step)
            counts += _counted(_predicted(network, batch, recipe, device), batch)
        overlap, total = counts
        seen = total > 0
        return float(np.mean(2 * overlap[seen] / total[seen])) if seen.any() else float("nan")

    return validate


def _predicted(network: nn.Module, batch: Batch, recipe: Recipe, device: str) -> NDArray[np.int64]:
    """Class indices (batch, d, h, w)."""
    kind = {"bf16": torch.bfloat16, "16": torch.float16}.get(recipe.precision)
    with (
        torch.inference_mode(),
        torch.autocast(device.partition(":")[0], dtype=kind, enabled=kind is not None),
    ):
        logits = network(torch.from_numpy(batch.images).to(device))
    return np.asarray(logits.argmax(1).cpu().numpy())


def _counted(predicted: NDArray[np.int64], batch: Batch) -> NDArray[np.float64]:
    """Voxels that both have, and those of both added up, of each class: (2, class).

    A class that is in no patch of the reference has none; nor has one that was not annotated.
    """
    known = batch.labels != IGNORED
    found = np.zeros((2, batch.labelled.shape[1]))
    for index in range(found.shape[1]):
        there = known & batch.labelled[:, index, None, None, None]
        truth, own = there & (batch.labels == index + 1), there & (predicted == index + 1)
        found[:, index] = (truth & own).sum(), truth.sum() + own.sum()
    return found
