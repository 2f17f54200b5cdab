"""Weights with a trained model's statistics and none of its structure."""

from collections.abc import Mapping

import torch
from torch import Tensor

from bench.design.seeds import stream


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
