"""Sliding-window inference with Gaussian weights."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch
from monai.data.utils import compute_importance_map
from numpy.typing import NDArray
from torch import Tensor, nn

from voxbench.data.outside import copy_window
from voxbench.design.recipe import Recipe
from voxbench.predict.layout import Layout
from voxbench.predict.stitch import Block, Stitch

Forward = Callable[[Tensor], Tensor]
"""Windows (window, channel, *patch) → scores (window, score, *patch) float32, on the device."""


def stitched(
    forward: Forward,
    image: NDArray[np.float32],
    outside: NDArray[np.float32],
    layout: Layout,
    recipe: Recipe,
    device: str,
) -> Iterator[Block]:
    """Scores of a volume, block by block as they become final.

    Scores of overlapping windows are averaged with Gaussian weights (Isensee et al., Nature
    Methods 2021).

    Args:
        forward: of windows.
        image: (channel, d, h, w) float32; its windows are moved to the device batch by batch.
        outside: (channel,) value beyond the volume.
        layout: of windows of `recipe.patch` over it.
        recipe: gives patch, precision and the windows of a batch.
        device: "cpu" or "cuda:N".
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="monai")
        weight = compute_importance_map(recipe.patch, "gaussian", 0.125, device)
    stitch, last = Stitch(layout, weight.permute(layout.order)), len(layout.ordered[2].starts) - 1
    order = (0, 1, *(2 + axis for axis in layout.order))
    windows = layout.windows()
    while batch := list(islice(windows, recipe.windows)):
        cut = _cut(image, outside, [layout.corner(window) for window in batch], recipe.patch)
        scores = _run(forward, cut.to(device), weight, recipe.precision).permute(order)
        for place, window in enumerate(batch):
            stitch.add(window, scores[place])
            if window[2] == last:
                yield stitch.take(window[0], window[1])
        del scores  # before the next ones are made


@contextmanager
def inference(network: nn.Module, run: Forward | None = None) -> Iterator[Forward]:
    """A network in evaluation mode, as what `stitched` runs; it comes back in the mode it was.

    Args:
        network: on its device.
        run: what of the network is run; itself by default.
    """
    training, scores = network.training, run or network
    network.eval()

    def forward(windows: Tensor) -> Tensor:
        alone = len(windows) == 1 and windows.device.type == "cpu"  # its convolutions are slow
        found: Tensor = scores(windows.expand(2, -1, -1, -1, -1))[:1] if alone else scores(windows)
        return found.float()

    try:
        yield forward
    finally:
        network.train(training)


def _run(forward: Forward, windows: Tensor, weight: Tensor, precision: str) -> Tensor:
    kind = {"bf16": torch.bfloat16, "16": torch.float16}.get(precision)
    mixed = torch.autocast(windows.device.type, dtype=kind, enabled=kind is not None)
    with torch.inference_mode(), mixed:
        return forward(windows).mul_(weight)


def _cut(
    image: NDArray[np.float32],
    outside: NDArray[np.float32],
    corners: list[tuple[int, int, int]],
    patch: tuple[int, int, int],
) -> Tensor:
    cut = np.empty((len(corners), len(image), *patch), np.float32)
    for window, corner in zip(cut, corners, strict=True):
        for out, channel, value in zip(window, image, outside, strict=True):
            copy_window(channel, corner, out, float(value))
    return torch.from_numpy(cut)
