"""A dense convolutional encoder that computes as if what is hidden were not there.

A sparse convolution without sparse tensors (Tian et al., SparK, ICLR 2023): what every
convolution and pooling gives is emptied where the mask hides it, so that nothing leaks in from
layer to layer, and norms take their statistics from what is seen alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from voxbench.errors import SpecError

_MASKED = (nn.Conv3d, nn.MaxPool3d, nn.AvgPool3d)
_NORMS = (nn.InstanceNorm3d, nn.GroupNorm, nn.BatchNorm3d)
_Layer = Callable[[Tensor], Tensor]


def check_convolutional(encoder: nn.Module) -> None:
    """Refuse an encoder with parameters in other layers than convolutions and norms.

    Raises:
        SpecError: it has some; their kind is named.
    """
    for module in encoder.modules():
        own = next(module.parameters(recurse=False), None)
        if own is not None and not isinstance(module, _MASKED + _NORMS):
            raise SpecError(
                f"spark: hides parts of an image from convolutions, and this network's encoder has "
                f"a {type(module).__name__}; take a convolutional architecture, or "
                "masked-autoencoder."
            )


@contextmanager
def sparsely(encoder: nn.Module, seen: Tensor) -> Iterator[None]:
    """Within it, layers of an encoder compute with what is seen alone.

    Args:
        encoder: that passed `check_convolutional`.
        seen: bool (b, 1, *cells), the same number of cells in each image.
    """
    layers = [layer for layer in encoder.modules() if isinstance(layer, _MASKED + _NORMS)]
    for layer in layers:
        change = _normed if isinstance(layer, _NORMS) else _emptied
        layer.__dict__["forward"] = partial(change, layer.forward, seen)
    try:
        yield
    finally:
        for layer in layers:
            del layer.__dict__["forward"]


def enlarged(cells: Tensor, shape: torch.Size) -> Tensor:
    """A mask of cells at the resolution of a map: (b, 1, *cells) → (b, 1, *shape).

    Raises:
        SpecError: the map has no whole number of voxels a cell.
    """
    for axis, side in enumerate(shape, start=2):
        voxels, rest = divmod(side, cells.shape[axis])
        if rest or not voxels:
            raise SpecError(
                f"spark: a map of {tuple(shape)} voxels can't be cut into the "
                f"{tuple(cells.shape[2:])} cells of the coarsest one; take another architecture."
            )
        cells = cells.repeat_interleave(voxels, dim=axis)
    return cells


def _emptied(layer: _Layer, seen: Tensor, x: Tensor) -> Tensor:
    result = layer(x)
    return result * enlarged(seen, result.shape[2:])


def _normed(layer: _Layer, seen: Tensor, x: Tensor) -> Tensor:
    """The norm of the seen voxels, given to it as a map that holds no others."""
    batch, channels = x.shape[:2]
    here = enlarged(seen, x.shape[2:]).squeeze(1)
    last = x.movedim(1, -1)
    voxels = last[here].view(batch, -1, channels).mT.reshape(batch, channels, -1, 1, 1)
    normed = layer(voxels).flatten(2).mT.reshape(-1, channels)
    result = normed.new_zeros(last.shape)
    result[here] = normed
    return result.movedim(-1, 1)
