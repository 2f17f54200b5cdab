"""Augmentation of a batch: a pure function of seed and step.

`full` is nnU-Net v2's list: rotation, scaling (`data.spatial`, when a patch is copied), changes of
intensity (`data.appearance`) and mirroring. `spatial` is its rotation, scaling and mirroring, which
change no intensity but by interpolation. `light` keeps mirroring and a small change of scale and
offset, the offset in units of the patch's deviation.

What may be mirrored is the task's: see `data.mirroring`. What would make the target of a
pre-training invalid is forbidden by its baseline: see `api.Pretrained.forbids`.
"""

from collections.abc import Collection
from typing import Literal

import numpy as np

from voxbench.api import Change
from voxbench.data.appearance import Image, distorted
from voxbench.data.patches import Batch
from voxbench.data.spatial import Moves
from voxbench.design.recipe import MOVED

AugmentationLevel = Literal["none", "light", "spatial", "full"]


def moves(
    level: AugmentationLevel,
    seed: int,
    forbidden: Collection[Change] = (),
    thick: int | None = None,
) -> Moves | None:
    """How the patches of a stream are turned and scaled; None where the level has neither.

    Args:
        level: none, light, spatial or full.
        seed: of the stream.
        forbidden: what of the level is left out.
        thick: axis along which nothing moves.
    """
    if level not in MOVED:
        return None
    return Moves(seed, "rotation" not in forbidden, "scaling" not in forbidden, thick)


def augment(
    batch: Batch,
    level: AugmentationLevel,
    seed: int,
    step: int,
    mirrors: tuple[int, ...] = (1, 2),
    forbidden: Collection[Change] = (),
    first: int = 0,
    thick: int | None = None,
) -> Batch:
    """Mirror patches and change their intensities at random; the given ones stay as they are.

    Args:
        batch: from `Patches`, which has turned and scaled them.
        level: none, light, spatial or full.
        seed: of the stream.
        step: of the batch.
        mirrors: axes that may be mirrored.
        forbidden: what of the level is left out.
        first: slot of the first patch, where the batch is a share of the step's.
        thick: axis whose resolution is never lowered.
    """
    if level == "none":
        return batch
    axes = () if "mirror" in forbidden else mirrors
    images, labels = np.empty_like(batch.images), np.empty_like(batch.labels)
    for slot, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
        random = np.random.default_rng([seed, step, first + slot, 3])
        if level != "spatial" and "intensity" not in forbidden:
            full = level == "full"
            image = distorted(image, random, thick) if full else _shifted(image, random)
        flips = tuple(slice(None, None, _sign(axis in axes, random)) for axis in range(3))
        images[slot] = image[(slice(None), *flips)]
        labels[slot] = label[flips]
    return batch._replace(images=images, labels=labels)


def _sign(allowed: bool, random: np.random.Generator) -> int:
    return -1 if random.random() < 0.5 and allowed else 1


def _shifted(image: Image, random: np.random.Generator) -> Image:
    """Each channel scaled by up to 10%, and moved by up to a tenth of its deviation."""
    shifted = np.empty_like(image)
    for out, channel in zip(shifted, image, strict=True):
        scale, offset = random.uniform(0.9, 1.1), random.uniform(-0.1, 0.1)
        out[...] = channel * np.float32(scale) + np.float32(offset * channel.std())
    return shifted
