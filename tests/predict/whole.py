"""The whole-volume way: all logits of a case at once, by MONAI, then interpolated and decided."""

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from voxbench.data.geometry import uncropped
from voxbench.data.outside import copy_window, first_voxel
from voxbench.data.resample import linear_taps


def whole_logits(network, image, outside, patch, overlap, windows) -> np.ndarray:
    """(class, d, h, w) on the prepared grid."""
    size = image.shape[1:]
    grown = [max(pair) for pair in zip(size, patch, strict=True)]
    corner = [first_voxel(n, side) for n, side in zip(size, grown, strict=True)]
    padded = np.empty((len(image), *grown), np.float32)
    for out, channel, value in zip(padded, image, outside, strict=True):
        copy_window(channel, corner, out, value)

    def predictor(x):
        return network(x.expand(2, -1, -1, -1, -1))[:1] if len(x) == 1 else network(x)

    with torch.inference_mode():
        logits = sliding_window_inference(
            torch.from_numpy(padded)[None],
            roi_size=tuple(patch),
            sw_batch_size=windows,
            predictor=predictor,
            overlap=overlap,
            mode="gaussian",
        )[0].numpy()
    return logits[(slice(None), *(slice(-a, -a + n) for a, n in zip(corner, size, strict=True)))]


def whole_label(logits, grid) -> np.ndarray:
    """Class indices on the native grid."""
    return uncropped(interpolated(logits, grid.cropped).argmax(0).astype(np.uint8), grid)


def interpolated(scores, shape) -> np.ndarray:
    """Linearly, along the first axis first, as label maps always were."""
    for axis, target in enumerate(shape, start=1):
        left, right, weight = linear_taps(scores.shape[axis], target)
        weight = weight.reshape([-1 if other == axis else 1 for other in range(4)])
        first = scores.take(left, axis)
        scores = first + weight * (scores.take(right, axis) - first)
    return scores
