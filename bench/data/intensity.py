"""Intensities into the range that a network sees, by modality."""

import numpy as np
from numpy.typing import NDArray

from bench.design.preprocessing import Window, ZScore


def normalise(image: NDArray[np.float32], rule: Window | ZScore) -> NDArray[np.float32]:
    """Apply a CT window or a z-score within the case to one channel (d, h, w).

    Returns:
        A new contiguous array; all zeros where a z-score finds no variation.
    """
    image = np.array(image, np.float32, order="C")
    if isinstance(rule, Window):
        np.clip(image, rule.low, rule.high, out=image)
        image -= rule.low
        image /= rule.high - rule.low
        return image
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
