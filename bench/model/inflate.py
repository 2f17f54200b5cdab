"""2D weights in 3D networks (Carreira and Zisserman, CVPR 2017)."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

COLOURS = 3
Mode = Literal["average", "centre"]


def inflate(
    tensors: Mapping[str, Tensor], like: Mapping[str, Tensor], mode: Mode = "average"
) -> dict[str, Tensor]:
    """Bring 2D tensors to the shapes of a 3D network.

    Kernels are inflated along depth; a stem that sees colours is summed over them; everything
    else (norms, biases) passes through, and so do names that
    `like` lacks, for the audit to list.

    Args:
        tensors: 2D weights under the 3D network's names.
        like: the 3D network's state dict.
        mode: how kernels are inflated, see `inflate_kernel`.
    """
    inflated = {}
    for name, tensor in tensors.items():
        goal = like[name].shape if name in like else tensor.shape
        if tensor.ndim == 4 and len(goal) == 5:
            seen = regrey(tensor, goal[1]) if tensor.shape[1] == COLOURS else tensor
            tensor = inflate_kernel(seen, goal[2], mode)
        inflated[name] = tensor
    return inflated


def inflate_kernel(kernel: Tensor, depth: int, mode: Mode = "average") -> Tensor:
    """A 2D kernel (o, i, h, w) as a 3D one (o, i, depth, h, w).

    Away from the borders, an image that is constant along depth gives the 2D activations:
    "average" repeats the kernel and divides by `depth`, "centre" puts it into the middle slice.
    """
    if mode == "average":
        return kernel.unsqueeze(2).repeat(1, 1, depth, 1, 1) / depth
    inflated = torch.zeros(*kernel.shape[:2], depth, *kernel.shape[2:], dtype=kernel.dtype)
    inflated[:, :, depth // 2] = kernel
    return inflated


def regrey(kernel: Tensor, channels: int) -> Tensor:
    """A stem kernel (o, colours, …) for other channels: (o, channels, …).

    Every channel gets the sum over the colours divided by `channels`, so that a grey image,
    in all channels alike, gives the activations of the grey picture.
    """
    grey = kernel.sum(dim=1, keepdim=True) / channels
    return grey.repeat(1, channels, *[1] * (kernel.ndim - 2))
