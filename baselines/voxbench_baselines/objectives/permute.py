"""Weights with a trained model's statistics and none of its structure."""

from collections.abc import Mapping

import torch
from torch import Tensor
from voxbench.toolkit import stream


def permuted(tensors: Mapping[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Permute the entries of every tensor, each by a random order of its own.

    Every tensor keeps its values, and so its mean, deviation and histogram; which value sits
    where is lost. Integers (tables of positions, counters) are no weights and stay.

    Args:
        tensors: of a trained network, by name.
        seed: of the orders, together with each tensor's name.
    """
    result = {}
    for name, tensor in tensors.items():
        generator = torch.Generator().manual_seed(stream("permutation", seed=seed, tensor=name))
        order = torch.randperm(tensor.numel(), generator=generator)
        moved = tensor.cpu().flatten()[order].view(tensor.shape)
        result[name] = moved if tensor.is_floating_point() else tensor
    return result


def rescaled(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Bring every kernel to the norm that it has in another state of the network.

    Before a normalisation layer a kernel's norm changes nothing that the network computes, only
    how far a step of the optimiser turns it (van Laarhoven, «L2 regularization versus batch and
    weight normalization», 2017). Vectors, the biases and what normalisation layers scale and
    shift by, make the statistics of the activations, and stay.

    Args:
        tensors: by name.
        like: at least the same tensors.
    """
    return {name: _as_long(tensor, like[name]) for name, tensor in tensors.items()}


def _as_long(tensor: Tensor, other: Tensor) -> Tensor:
    if not tensor.is_floating_point() or tensor.ndim < 2 or not tensor.any():
        return tensor
    scaled: Tensor = tensor * (other.norm() / tensor.norm())
    return scaled
