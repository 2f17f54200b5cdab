"""Masks of a published head, processed as SuPreM's own inference does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_NEIGHBOURS = np.ones((3, 3, 3), bool)


def largest_components(scores: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.uint8]:
    """The largest component of each class, among 26 neighbours, where it beats the background.

    The steps of `organ_post_process` and `pseudo_label_all_organ` in `direct_inference` of
    https://github.com/MrGiovanni/SuPreM (Li, Yuille and Zhou, ICLR 2024): sigmoid above 0.5, one
    component an organ, and where organs overlap the later one stands in the combined label map.

    Args:
        scores: (1 + class, d, h, w), logits; channel 0 is what a class must exceed, 0 for sigmoids.
        order: class indices, first to last; others are left out.

    Returns:
        (d, h, w) of class indices.
    """
    label = np.zeros(scores.shape[1:], np.uint8)
    for index in order:
        components, _ = ndimage.label(scores[index] > scores[0], _NEIGHBOURS)
        sizes = np.bincount(components.ravel())[1:]
        if len(sizes):
            label[components == 1 + sizes.argmax()] = index
    return label
