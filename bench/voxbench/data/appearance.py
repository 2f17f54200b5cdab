"""Changes of intensity: nnU-Net v2's list, in its order, with its chances and ranges.

After `nnUNetTrainer.get_training_transforms` (Isensee et al., 2021; version 2, with
batchgeneratorsv2). A chance is that of a patch; blur and low resolution are then given to half of
its channels, each by itself. Noise is in units of each channel's deviation within the patch, so
that it means the same for windowed CT as for z-scored images, whose deviation is 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.data.resample import resample_image, resample_nearest

Image = NDArray[np.float32]


class Chances(NamedTuple):
    """Of a patch, in the order in which it is changed."""

    noise: float = 0.1
    blur: float = 0.2
    brightness: float = 0.15
    contrast: float = 0.15
    low_resolution: float = 0.25
    inverted_gamma: float = 0.1
    gamma: float = 0.3


CHANCES = Chances()
CHANNELS = 0.5
"""Of a channel of a patch that is blurred or lowered in resolution."""


def distorted(image: Image, random: np.random.Generator, thick: int | None = None) -> Image:
    """A patch (channel, d, h, w) through the changes of intensity.

    Args:
        image: the patch.
        random: what is drawn from.
        thick: axis whose resolution is never lowered.
    """
    chosen = Chances(*(random.random(len(CHANCES)) < CHANCES))
    if chosen.noise:
        image = _noisy(image, random.uniform(0, 0.1), random)
    return np.stack([_channel(channel, chosen, random, thick) for channel in image])


def _noisy(image: Image, sigma: float, random: np.random.Generator) -> Image:
    """All channels with noise of `sigma` times their deviation."""
    deviation = image.std((1, 2, 3), keepdims=True)
    noise: Image = np.float32(sigma) * deviation * random.standard_normal(image.shape, np.float32)
    return image + noise


def _channel(
    channel: Image, chosen: Chances, random: np.random.Generator, thick: int | None
) -> Image:
    if chosen.blur and random.random() < CHANNELS:
        channel = _blurred(channel, random.uniform(0.5, 1.0, 3))
    if chosen.brightness:
        channel = channel * np.float32(random.uniform(0.75, 1.25))
    if chosen.contrast:
        channel = _contrasted(channel, random.uniform(0.75, 1.25))
    if chosen.low_resolution and random.random() < CHANNELS:
        channel = _coarser(channel, random.uniform(0.5, 1.0), thick)
    if chosen.inverted_gamma:
        channel = -_bent(-channel, _gamma(random))
    if chosen.gamma:
        channel = _bent(channel, _gamma(random))
    return channel


def _blurred(channel: Image, sigma: NDArray[np.float64]) -> Image:
    """Gaussian blur, by a width of each axis in voxels."""
    from scipy.ndimage import gaussian_filter

    found: Image = gaussian_filter(channel, sigma, mode="mirror", truncate=3)
    return found


def _contrasted(channel: Image, factor: float) -> Image:
    """Stretched about its mean, within its range."""
    mean = channel.mean()
    stretched: Image = (channel - mean) * np.float32(factor) + mean
    return stretched.clip(channel.min(), channel.max())


def _coarser(channel: Image, zoom: float, thick: int | None = None) -> Image:
    """Down to `zoom` of the resolution by the nearest voxel, and back linearly."""
    sides = enumerate(channel.shape)
    a, b, c = (n if axis == thick else max(1, round(n * zoom)) for axis, n in sides)
    x, y, z = channel.shape
    return resample_image(resample_nearest(channel, (a, b, c)), (x, y, z))


def _gamma(random: np.random.Generator) -> float:
    """Below 1 as often as above, uniformly on either side."""
    return random.uniform(0.7, 1.0) if random.random() < 0.5 else random.uniform(1.0, 1.5)


def _bent(channel: Image, gamma: float) -> Image:
    """A gamma curve over the range of a channel, which keeps its mean and deviation."""
    low, span = channel.min(), np.ptp(channel)
    if span == 0:
        return channel
    curve: Image = np.power((channel - low) / span, np.float32(gamma))
    deviation = curve.std()
    if deviation == 0:
        return channel
    curve -= curve.mean()
    curve *= channel.std() / deviation
    curve += channel.mean()
    return curve
