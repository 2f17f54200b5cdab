"""Sliding-window inference with Gaussian weights."""

import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

from voxbench.data.cache import PreparedCase
from voxbench.data.geometry import labels_to_native, scores_to_native
from voxbench.data.outside import surrounded
from voxbench.design.recipe import Recipe
from voxbench.model.direct import Direct
from voxbench.predict.components import largest_components


def segment(network: nn.Module, prepared: PreparedCase, recipe: Recipe, device: str) -> np.ndarray:
    """Class indices (d, h, w) uint8 of a case on the grid of its files."""
    scores = predict(
        network,
        prepared.image,
        prepared.outside,
        patch=recipe.patch,
        overlap=recipe.overlap,
        windows=recipe.windows,
        device=device,
        precision=recipe.precision,
    )
    if isinstance(network, Direct) and network.separate:
        order = [1 + network.classes.index(name) for name in network.shared]
        return labels_to_native(largest_components(scores, order), prepared.grid)
    return scores_to_native(scores, prepared.grid)


def predict(
    network: nn.Module,
    image: np.ndarray,
    outside: Iterable[float],
    *,
    patch: Sequence[int],
    overlap: float,
    windows: int,
    device: str,
    precision: str = "32",
) -> np.ndarray:
    """Class scores of a whole prepared case.

    Logits of overlapping windows are averaged with Gaussian weights (Isensee et al., Nature
    Methods 2021).

    Args:
        network: the segmenter; used in evaluation mode.
        image: (channel, d, h, w) float32.
        outside: value of each channel around an image that is smaller than a window.
        patch: voxels of a window.
        overlap: share of a window that the next one covers again.
        windows: windows a forward pass.
        device: "cpu" or "cuda:N".
        precision: "32", "bf16" or "16", as in training.

    Returns:
        (1 + classes, d, h, w) float32 logits.
    """
    training = network.training
    network.eval()
    kind = {"bf16": torch.bfloat16, "16": torch.float16}.get(precision)
    with (
        torch.inference_mode(),
        torch.autocast(device.partition(":")[0], dtype=kind, enabled=kind is not None),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", module="monai")
        whole, inside = surrounded(image, patch, outside)
        scores = sliding_window_inference(
            torch.from_numpy(whole)[None].to(device),
            roi_size=tuple(patch),
            sw_batch_size=windows,
            predictor=_paired(network),
            overlap=overlap,
            mode="gaussian",
        )
    network.train(training)
    return np.asarray(scores[0].float().cpu().numpy())[(slice(None), *inside)]


def _paired(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Send a lone window twice: on the CPU a batch of one takes a slow convolution."""

    def forward(windows: Tensor) -> Tensor:
        if windows.shape[0] == 1 and windows.device.type == "cpu":
            return network(windows.expand(2, -1, -1, -1, -1))[:1].float()  # type: ignore[no-any-return]
        return network(windows).float()  # type: ignore[no-any-return]

    return forward
