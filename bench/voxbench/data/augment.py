"""Augmentation of a batch: a pure function of seed and step.

`full` follows nnU-Net's list, ranges and probabilities (Isensee et al. 2021, supplement):
rotation, scaling, noise, blur, brightness, contrast, low resolution, gamma, mirroring. `spatial`
is its rotation, scaling and mirroring, which change no intensity but by interpolation. `light`
keeps mirroring and a small change of scale and offset. Noise and offset are in units of the
patch's deviation, so that they mean the same for windowed CT and z-scored MR.

What may be mirrored is the task's: see `data.mirroring`. What would make the target of a
pre-training invalid is forbidden by its baseline: see `api.Pretrained.forbids`.
"""

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from voxbench.api import Change
from voxbench.compiled import compiled, read_only
from voxbench.data.patches import Batch
from voxbench.data.resample import resample_image

AugmentationLevel = Literal["none", "light", "spatial", "full"]
Image = NDArray[np.float32]


def augment(
    batch: Batch,
    level: AugmentationLevel,
    seed: int,
    step: int,
    mirrors: tuple[int, ...] = (1, 2),
    forbidden: Collection[Change] = (),
) -> Batch:
    """Change the patches of a batch at random; the given one stays as it is.

    Args:
        batch: from `Patches`.
        level: none, light, spatial or full.
        seed: of the stream.
        step: of the batch.
        mirrors: axes that may be mirrored.
        forbidden: what of the level is left out.
    """
    if level == "none":
        return batch
    axes = () if "mirror" in forbidden else mirrors
    allowed = ["rotation" not in forbidden, "scaling" not in forbidden]
    images, labels = np.empty_like(batch.images), np.empty_like(batch.labels)
    for slot, (image, label, outside) in enumerate(
        zip(batch.images, batch.labels, batch.outside, strict=True)
    ):
        random = np.random.default_rng([seed, step, slot, 3])
        if level in {"spatial", "full"}:
            image, label = _transformed(image, label, outside, random, allowed)
        if level != "spatial" and "intensity" not in forbidden:
            change = _distorted if level == "full" else _shifted
            image = np.stack([change(channel, random) for channel in image])
        flips = tuple(slice(None, None, _sign(axis in axes, random)) for axis in range(3))
        images[slot] = image[(slice(None), *flips)]
        labels[slot] = label[flips]
    return batch._replace(images=images, labels=labels)


def _sign(allowed: bool, random: np.random.Generator) -> int:
    return -1 if random.random() < 0.5 and allowed else 1


def _shifted(image: Image, random: np.random.Generator) -> Image:
    scale, offset = random.uniform(0.9, 1.1), random.uniform(-0.1, 0.1)
    return image * np.float32(scale) + np.float32(offset * image.std())


def _transformed(
    image: Image,
    label: NDArray[np.uint8],
    outside: NDArray[np.float32],
    random: np.random.Generator,
    allowed: Sequence[bool] = (True, True),
) -> tuple[Image, NDArray[np.uint8]]:
    """Rotate by up to 30° about each axis and scale by 0.7…1.4, each in one patch of five."""
    rotates, scales = (random.random(2) < 0.2) & np.array(allowed)
    angles = random.uniform(-np.pi / 6, np.pi / 6, 3) * rotates
    scale = random.uniform(0.7, 1.4) if scales else 1.0
    if not (rotates or scales):
        return image, label
    moved, classes = np.empty_like(image), np.empty_like(label)
    matrix = _rotation(angles) / scale
    image, label = (read_only(np.ascontiguousarray(array)) for array in (image, label))
    _warp(image, label, read_only(matrix), read_only(outside), moved, classes)
    return moved, classes


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        i, j = (other for other in range(3) if other != axis)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def _distorted(image: Image, random: np.random.Generator) -> Image:
    """One channel through the intensity transforms, each with its own probability."""
    noisy, blurred, brighter, contrasted, coarser, inverted, bent = random.random(7) < _CHANCES
    if noisy:
        sigma = np.float32(np.sqrt(random.uniform(0, 0.1)) * image.std())
        image = image + sigma * random.standard_normal(image.shape, np.float32)
    if blurred:
        image = gaussian_filter(image, random.uniform(0.5, 1.0), truncate=3)
    if brighter:
        image = image * np.float32(random.uniform(0.75, 1.25))
    if contrasted:
        image = _contrasted(image, random.uniform(0.75, 1.25))
    if coarser:
        image = _coarser(image, random.uniform(0.5, 1.0))
    if inverted:
        image = -_bent(-image, random.uniform(0.7, 1.5))
    if bent:
        image = _bent(image, random.uniform(0.7, 1.5))
    return image


_CHANCES = (0.1, 0.2, 0.15, 0.15, 0.25, 0.1, 0.3)


def _contrasted(image: Image, factor: float) -> Image:
    mean = image.mean()
    stretched: Image = (image - mean) * np.float32(factor) + mean
    return stretched.clip(image.min(), image.max())


def _coarser(image: Image, zoom: float) -> Image:
    a, b, c = (max(1, round(side * zoom)) for side in image.shape)
    x, y, z = image.shape
    return resample_image(resample_image(image, (a, b, c)), (x, y, z))


def _bent(image: Image, gamma: float) -> Image:
    """A gamma curve over the range of the image, which keeps its mean and deviation."""
    low, span = image.min(), np.ptp(image)
    if span == 0:
        return image
    curve: Image = np.power((image - low) / span, np.float32(gamma))
    deviation = curve.std()
    if deviation == 0:
        return image
    curve -= curve.mean()
    curve *= image.std() / deviation
    curve += image.mean()
    return curve


@compiled
def _warp(
    image: Image,
    label: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    outside: NDArray[np.float32],
    moved: Image,
    classes: NDArray[np.uint8],
) -> None:
    """Pull each voxel from `matrix @ (voxel - centre) + centre`: linear image, nearest label."""
    channels, depth, height, width = image.shape
    ci, cj, ck = (depth - 1) / 2, (height - 1) / 2, (width - 1) / 2
    for i in range(depth):
        for j in range(height):
            for k in range(width):
                di, dj, dk = i - ci, j - cj, k - ck
                x = matrix[0, 0] * di + matrix[0, 1] * dj + matrix[0, 2] * dk + ci
                y = matrix[1, 0] * di + matrix[1, 1] * dj + matrix[1, 2] * dk + cj
                z = matrix[2, 0] * di + matrix[2, 1] * dj + matrix[2, 2] * dk + ck
                if not (0 <= x <= depth - 1 and 0 <= y <= height - 1 and 0 <= z <= width - 1):
                    classes[i, j, k] = 0
                    for c in range(channels):
                        moved[c, i, j, k] = outside[c]
                    continue
                # unsigned, so that the compiled code need not look for negative indices
                near = np.uint32(x + 0.5), np.uint32(y + 0.5), np.uint32(z + 0.5)
                classes[i, j, k] = label[near]
                x0, y0, z0 = np.uint32(x), np.uint32(y), np.uint32(z)
                x1 = np.uint32(min(x0 + 1, depth - 1))
                y1 = np.uint32(min(y0 + 1, height - 1))
                z1 = np.uint32(min(z0 + 1, width - 1))
                u, v, w = np.float32(x - x0), np.float32(y - y0), np.float32(z - z0)
                for c in range(channels):
                    a, b = image[c, x0, y0, z0], image[c, x0, y1, z0]
                    d, e = image[c, x1, y0, z0], image[c, x1, y1, z0]
                    a += w * (image[c, x0, y0, z1] - a)
                    b += w * (image[c, x0, y1, z1] - b)
                    d += w * (image[c, x1, y0, z1] - d)
                    e += w * (image[c, x1, y1, z1] - e)
                    a += v * (b - a)
                    d += v * (e - d)
                    moved[c, i, j, k] = a + u * (d - a)
