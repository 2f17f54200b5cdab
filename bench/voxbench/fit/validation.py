"""How a training fares on the validation cases: what it is watched by in passing."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from voxbench.api import IGNORED
from voxbench.data.cache import PreparedCase
from voxbench.data.cell_data import CellData
from voxbench.data.outside import copy_window
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.design.seeds import stream
from voxbench.fit.tiles import Tile, draw_tiles

WINDOWS = 32  # of a validation, at most


def window_dice(
    network: nn.Module, data: CellData, recipe: Recipe, device: str
) -> Callable[[], float] | None:
    """What gives the Dice of the whole validation cases, estimated by at most 32 windows.

    They are drawn of those that tile the cases, with structures or without, and weighted so that
    counts of voxels are right on average; see `draw_tiles`. They are the same at every step and for
    every arm and seed. As nnU-Net watches its trainings (Isensee et al., Nature Methods 2021),
    voxels are pooled over all cases, class by class; the mean is over the classes that the windows
    hold, NaN where they hold none. Windows neither overlap nor are mirrored.

    Args:
        network: on its device; used as it is, in evaluation mode.
        data: gives the cases.
        recipe: gives patch, precision and the windows of a forward pass.
        device: "cpu" or "cuda:N".

    Returns:
        None where there is no validation case.
    """
    cases = [data.prepared[case.id] for case in data.validation]
    if not cases:
        return None
    classes = [*data.card.parts]
    drawn = draw_tiles(cases, classes, recipe.patch, WINDOWS, stream("validation"))

    def validate() -> float:
        counts = np.zeros((3, len(classes)))
        for first in range(0, len(drawn), recipe.windows):
            tiles = drawn[first : first + recipe.windows]
            batch = _batch(tiles, cases, classes, recipe.patch)
            found = _counted(_predicted(network, batch, recipe, device), batch)
            counts += np.einsum("kbc,b->kc", found, [tile.weight for tile in tiles])
        overlap, predicted, truth = counts
        held = truth > 0
        dice = 2 * overlap[held] / (predicted + truth)[held]
        return float(dice.mean()) if held.any() else float("nan")

    return validate


def _batch(
    tiles: Sequence[Tile],
    cases: Sequence[PreparedCase],
    classes: Sequence[str],
    patch: tuple[int, int, int],
) -> Batch:
    """Windows as the network sees them, IGNORED where a voxel counts in another one."""
    own = [cases[tile.case] for tile in tiles]
    images = np.empty((len(tiles), len(own[0].image), *patch), np.float32)
    labels = np.full((len(tiles), *patch), IGNORED, np.uint8)
    for image, label, case, tile in zip(images, labels, own, tiles, strict=True):
        for out, channel, value in zip(image, case.image, case.outside, strict=True):
            copy_window(channel, tile.corner, out, value)
        within = zip(tile.own, tile.corner, strict=True)
        inside = tuple(slice(part.start - at, part.stop - at) for part, at in within)
        label[inside] = case.label[tile.own]
    labelled = [
        [case.labelled is None or name in case.labelled for name in classes] for case in own
    ]
    return Batch(images, labels, np.array(labelled, bool))


def _predicted(network: nn.Module, batch: Batch, recipe: Recipe, device: str) -> NDArray[np.int64]:
    """Class indices (batch, d, h, w)."""
    kind = {"bf16": torch.bfloat16, "16": torch.float16}.get(recipe.precision)
    with (
        torch.inference_mode(),
        torch.autocast(device.partition(":")[0], dtype=kind, enabled=kind is not None),
    ):
        logits = network(torch.from_numpy(batch.images).to(device))
    return np.asarray(logits.max(1).indices.cpu().numpy())  # argmax takes ten times as long


def _counted(predicted: NDArray[np.int64], batch: Batch) -> NDArray[np.float64]:
    """(3, batch, class) voxels of both, of the prediction and of the reference.

    A class that was not annotated has none.
    """
    known = batch.labels != IGNORED
    found = np.zeros((3, *batch.labelled.shape))
    for index in range(found.shape[2]):
        there = known & batch.labelled[:, index, None, None, None]
        truth, own = there & (batch.labels == index + 1), there & (predicted == index + 1)
        found[:, :, index] = [mask.sum(axis=(1, 2, 3)) for mask in (truth & own, own, truth)]
    return found
