"""2D weights in 3D networks (Carreira and Zisserman, CVPR 2017)."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from voxbench.errors import WeightsError

_COLOURS = 3
Inflation = Literal["average", "centre", "replicate"]


def inflate(
    tensors: Mapping[str, Tensor], network: nn.Module, mode: Inflation = "centre"
) -> dict[str, Tensor]:
    """Bring 2D tensors to the shapes of a 3D network.

    Kernels are inflated along depth; a stem that sees colours is summed over them; everything
    else (norms, biases) passes through, and so do names that the network lacks, for the audit to
    list. In evaluation an image that is constant along depth then gives the activations of the
    2D network: in every slice where kernels are centred, else in those that no zeros reach, which
    convolutions pad at both ends of the depth.

    Args:
        tensors: 2D weights under the 3D network's names.
        network: the 3D network.
        mode: how kernels are inflated, see `inflate_kernel`. Where they are replicated, the
            running statistics of the batch norm behind each grow with it.

    Raises:
        WeightsError: a kernel is 3D already, or is to be replicated and no batch norm follows.
    """
    like = network.state_dict()
    deep = [name for name, tensor in tensors.items() if tensor.ndim == 5]
    if deep:
        raise WeightsError(
            f"its kernels are 3D already ({deep[0]} and {len(deep) - 1} more): these weights are "
            "no 2D network's, and can't be inflated."
        )
    inflated = {}
    for name, tensor in tensors.items():
        goal = like[name].shape if name in like else tensor.shape
        if tensor.ndim == 4 and len(goal) == 5:
            seen = regrey(tensor, goal[1]) if tensor.shape[1] == _COLOURS else tensor
            tensor = inflate_kernel(seen, goal[2], mode)
        inflated[name] = tensor
    return _rescaled(inflated, network) if mode == "replicate" else inflated


def inflate_kernel(kernel: Tensor, depth: int, mode: Inflation = "centre") -> Tensor:
    """A 2D kernel (o, i, h, w) as a 3D one (o, i, depth, h, w).

    "average" repeats the kernel and divides by `depth`, "centre" puts it into the middle slice:
    both give what the 2D kernel gives where the image is constant along depth. "replicate"
    repeats it undivided, which gives `depth` times that: a weight keeps the size that it was
    trained at, and so the relative step that a learning rate makes.
    """
    if mode == "centre":
        inflated = kernel.new_zeros(*kernel.shape[:2], depth, *kernel.shape[2:])
        inflated[:, :, depth // 2] = kernel
        return inflated
    repeated = kernel.unsqueeze(2).repeat(1, 1, depth, 1, 1)
    return repeated / depth if mode == "average" else repeated


def regrey(kernel: Tensor, channels: int) -> Tensor:
    """A stem kernel (o, colours, …) for other channels: (o, channels, …).

    Every channel gets the sum over the colours divided by `channels`, so that a grey image,
    in all channels alike, gives the activations of the grey picture.
    """
    grey = kernel.sum(dim=1, keepdim=True) / channels
    return grey.repeat(1, channels, *[1] * (kernel.ndim - 2))


def _rescaled(tensors: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Statistics for kernels that give `depth` times as much: the norm undoes it exactly.

    A norm is defined right behind its convolution. Its variance grows so that, with what the
    norm adds to it against division by zero, the deviation is `depth` times as large.
    """
    result = dict(tensors)
    depth = 1
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv3d) and f"{name}.weight" in tensors:
            _check_undone(depth, name)
            depth = module.kernel_size[0]
        elif isinstance(module, _BatchNorm) and f"{name}.running_var" in tensors:
            mean, var = (f"{name}.{key}" for key in ("running_mean", "running_var"))
            result[mean] = tensors[mean] * depth
            result[var] = (tensors[var] + module.eps) * depth**2 - module.eps
            depth = 1
    _check_undone(depth, "the end")
    return result


def _check_undone(depth: int, before: str) -> None:
    if depth > 1:
        raise WeightsError(
            f"no batch norm follows the kernel before {before}, so it can't be replicated: "
            "its activations would grow; use inflation average or centre."
        )
