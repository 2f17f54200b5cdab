"""Volumes that look alike as people do: a body, organs at about the same place, texture."""

import numpy as np
from scipy.ndimage import gaussian_filter

SHAPE = (40, 46, 36)


def person(number: int, scan: int = 0, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Person and scan decide; (d, h, w) float32, air is 0, with a margin of air around."""
    rng = np.random.default_rng([number, scan])
    axes = np.meshgrid(*(np.linspace(-1.15, 1.15, size) for size in shape), indexing="ij")
    radius = sum((a / r) ** 2 for a, r in zip(axes, rng.uniform(0.9, 1.0, 3), strict=True))
    body = radius < 1
    image = 40 + 15 * gaussian_filter(rng.normal(size=shape), 1.5) / 0.1
    for place in ((-0.4, 0.2, 0.1), (0.4, 0.1, -0.2), (0.0, -0.45, 0.2), (0.1, 0.4, 0.35)):
        centre = np.array(place) + rng.normal(0, 0.06, 3)
        sizes = rng.uniform(0.15, 0.3, 3)
        inside = sum(((a - c) / s) ** 2 for a, c, s in zip(axes, centre, sizes, strict=True)) < 1
        image[inside] += rng.uniform(30, 60)
    image = gaussian_filter(np.where(body, np.maximum(image, 20), 0), 0.7)
    return image.astype(np.float32)
