"""Masks of a published head, processed as SuPreM's own inference does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_NEIGHBOURS = np.ones((3, 3, 3), bool)


class Masks:
    """One mask a class that may overlap, a bit a voxel.

    Args:
        classes: how many, without the background; their indices count from 1.
        shape: of a mask.
    """

    def __init__(self, classes: int, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        self._bits = np.zeros((-(-classes // 8), *shape), np.uint8)

    def put(self, first: Sequence[int], masks: NDArray[np.bool_]) -> None:
        """Set a part (class, d, h, w) of all masks, from the voxel `first` on."""
        part = (slice(a, a + n) for a, n in zip(first, masks.shape[1:], strict=True))
        self._bits[(slice(None), *part)] = np.packbits(masks, axis=0)

    def of(self, index: int) -> NDArray[np.bool_]:
        """The mask of a class."""
        byte, bit = divmod(index - 1, 8)
        mask: NDArray[np.bool_] = self._bits[byte] & (128 >> bit) > 0
        return mask


def largest_components(masks: Masks, order: Sequence[int]) -> NDArray[np.uint8]:
    """The largest component of each class, among 26 neighbours.

    The steps of `organ_post_process` and `pseudo_label_all_organ` in `direct_inference` of
    https://github.com/MrGiovanni/SuPreM (Li, Yuille and Zhou, ICLR 2024): sigmoid above 0.5, one
    component an organ, and where organs overlap the later one stands in the combined label map.

    Args:
        masks: of the classes.
        order: class indices, first to last; others are left out.

    Returns:
        (d, h, w) of class indices.
    """
    label = np.zeros(masks.shape, np.uint8)
    for index in order:
        components, _ = ndimage.label(masks.of(index), _NEIGHBOURS)
        sizes = np.bincount(components.ravel())[1:]
        if len(sizes):
            label[components == 1 + sizes.argmax()] = index
    return label
