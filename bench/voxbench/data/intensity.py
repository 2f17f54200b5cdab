"""Intensities into the range that a network sees, by modality."""

import numpy as np
from numpy.typing import NDArray

from voxbench.design.preprocessing import Intensity, Rescale, Window, ZScore


def normalise(image: NDArray[np.float32], rule: Intensity) -> NDArray[np.float32]:
    """Apply a CT window, a z-score or a rescaling within the case to one channel (d, h, w).

    Returns:
        A new contiguous array; where a case does not vary, all zeros by a z-score, all the lower
        bound by a rescaling.
    """
    image = np.array(image, np.float32, order="C")
    if isinstance(rule, Window):
        return _scale(image, rule.low, rule.high, rule.to)
    if isinstance(rule, Rescale):
        low, high = np.percentile(image, rule.percentiles)
        return _scale(image, float(low), float(high), rule.to)
    return _standardise(image, rule)


def _scale(
    image: NDArray[np.float32], low: float, high: float, to: tuple[float, float]
) -> NDArray[np.float32]:
    """Clip to [low, high] and bring that range to `to`, in place."""
    np.clip(image, low, high, out=image)
    image -= low
    image /= high - low or 1.0
    if to != (0.0, 1.0):
        image *= to[1] - to[0]
        image += to[0]
    return image


def _standardise(image: NDArray[np.float32], rule: ZScore) -> NDArray[np.float32]:
    """Clip to percentiles, then mean 0 and deviation 1, in place."""
    voxels = image[image > 0] if rule.nonzero and (image > 0).any() else image
    low, high = np.percentile(voxels, rule.percentiles)
    np.clip(image, low, high, out=image)
    voxels = np.clip(voxels, low, high)
    # summed in double: a float32 sum over 10^8 voxels loses its last digits
    mean, deviation = voxels.mean(dtype=np.float64), voxels.std(dtype=np.float64)
    image -= np.float32(mean)
    if deviation > 1e-6 * max(1.0, abs(mean)):
        image /= np.float32(deviation)
    else:
        image[:] = 0
    return image
