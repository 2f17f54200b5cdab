"""Label maps of real size to time metrics on: ellipsoids for organs, and predictions that err."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]


class TimedCase(NamedTuple):
    """Two label maps (d, h, w), their classes and spacing in mm, and the tolerance in mm."""

    name: str
    prediction: Labels
    reference: Labels
    classes: dict[str, int]
    spacing_mm: tuple[float, float, float]
    tolerance_mm: float = 2.0


def organs(shape: tuple[int, int, int], n: int, seed: int, fill: float = 0.35) -> Labels:
    """`n` ellipsoids of labels 1…n at random places, that fill about `fill` of `shape`."""
    rng = np.random.default_rng(seed)
    volume = np.zeros(shape, np.uint8)
    radius = (fill * volume.size / n * 0.75 / np.pi) ** (1 / 3)
    for label in range(1, n + 1):
        radii = radius * rng.uniform(0.7, 1.4, 3)
        centre = [
            rng.uniform(min(r, s / 2), max(s - r, s / 2)) for r, s in zip(radii, shape, strict=True)
        ]
        box = tuple(
            slice(max(0, int(c - r)), min(s, int(c + r) + 2))
            for c, r, s in zip(centre, radii, shape, strict=True)
        )
        axes = np.ogrid[box]
        inside = sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii, strict=True)) <= 1
        volume[box][inside] = label
    return volume


def err(reference: Labels, seed: int) -> Labels:
    """`reference` shifted by a voxel, with borders eroded in places and jittered by noise."""
    rng = np.random.default_rng(seed)
    shifted = np.roll(reference, (1, 1, 0), (0, 1, 2))
    prediction = shifted.copy()
    for axis in range(3):
        behind = np.roll(shifted, 1, axis)
        noisy = (behind != shifted) & (rng.random(shifted.shape, np.float32) < 0.3)
        prediction[noisy] = behind[noisy]
    border = np.zeros(shifted.shape, bool)
    for axis in (1, 2):
        border |= np.roll(shifted, -1, axis) != shifted
    prediction[border & (shifted != 0)] = 0
    return prediction


def flip(reference: Labels, share: float, n: int, seed: int) -> Labels:
    """`reference` with a share of its voxels set to random labels."""
    rng = np.random.default_rng(seed)
    noisy = rng.random(reference.shape, np.float32) < share
    out = reference.copy()
    out[noisy] = rng.integers(0, n + 1, int(noisy.sum()), dtype=np.uint8)
    return out


def names() -> list[str]:
    """The timed cases."""
    return list(MAKERS)


def make(name: str) -> TimedCase:
    """Build one of the timed cases, in a few seconds."""
    return MAKERS[name]()._replace(name=name)


def _names(n: int) -> dict[str, int]:
    return {f"organ {label}": label for label in range(1, n + 1)}


def _usual(
    shape: tuple[int, int, int], n: int, spacing_mm: tuple[float, float, float]
) -> TimedCase:
    reference = organs(shape, n, seed=0)
    return TimedCase("", err(reference, 1), reference, _names(n), spacing_mm)


def _changed(change: Callable[[Labels], Labels]) -> TimedCase:
    reference = organs((256, 256, 160), 14, seed=0)
    return TimedCase("", change(reference), reference, _names(14), (1.5, 1.5, 1.5))


def _shell() -> TimedCase:
    """A small ball in the reference; in the prediction a shell, one voxel thin, far around it."""
    i, j, k = np.ogrid[:256, :256, :160]
    r = np.sqrt((i - 128.0) ** 2 + (j - 128.0) ** 2 + ((k - 80.0) * 1.6) ** 2)
    return TimedCase(
        "", ((r > 120) & (r < 121.5)).astype(np.uint8), (r < 12).astype(np.uint8),
        {"ball": 1}, (1.5, 1.5, 1.5),
    )  # fmt: skip


def _one_class() -> TimedCase:
    """One class that fills the volume but for scattered holes; the prediction lacks a corner."""
    reference = np.ones((256, 256, 160), np.uint8)
    reference[organs((256, 256, 160), 60, seed=3, fill=0.1) > 0] = 0
    prediction = err(reference, 4)
    prediction[:60, :60, :60] = 0
    return TimedCase("", prediction, reference, {"body": 1}, (1.5, 1.5, 1.5))


MAKERS: dict[str, Callable[[], TimedCase]] = {
    "14 classes": lambda: _usual((256, 256, 160), 14, (1.5, 1.5, 1.5)),
    "25 classes": lambda: _usual((512, 512, 256), 25, (0.8, 0.8, 2.5)),
    "117 classes": lambda: _usual((300, 240, 400), 117, (1.5, 1.5, 1.5)),
    "flips": lambda: _changed(lambda v: flip(err(v, 1), 0.05, 14, 2)),
    "mirrored": lambda: _changed(lambda v: np.ascontiguousarray(v[:, ::-1])),
    "thin shell": _shell,
    "one class": _one_class,
}
