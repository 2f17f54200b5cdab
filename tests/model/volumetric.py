"""3D ResNets as published, as functions of a state dict: what backbones must match."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.model.flat import norm

State = Mapping[str, Tensor]


def resnet(
    x: Tensor,
    state: State,
    stem_stride: Sequence[int] = (2, 2, 2),
    strides: Sequence[int] = (1, 2, 2, 2),
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> list[Tensor]:
    """Maps of the stem and of the four layers, for either kind of block and shortcut."""

    def conv(x: Tensor, name: str, stride: int | Sequence[int], dilation: int = 1) -> Tensor:
        kernel = state[f"{name}.weight"]
        padding = [dilation * (k // 2) for k in kernel.shape[2:]]
        return F.conv3d(x, kernel, stride=stride, padding=padding, dilation=dilation)

    def normed(x: Tensor, name: str) -> Tensor:
        return norm(x, state, name, 1e-5)

    def block(x: Tensor, name: str, stride: int, dilation: int) -> Tensor:
        if f"{name}.conv3.weight" in state:
            y = F.relu(normed(conv(x, f"{name}.conv1", 1), f"{name}.bn1"))
            y = F.relu(normed(conv(y, f"{name}.conv2", stride, dilation), f"{name}.bn2"))
            y = normed(conv(y, f"{name}.conv3", 1), f"{name}.bn3")
        else:
            y = F.relu(normed(conv(x, f"{name}.conv1", stride, dilation), f"{name}.bn1"))
            y = normed(conv(y, f"{name}.conv2", 1, dilation), f"{name}.bn2")
        if f"{name}.downsample.0.weight" in state:
            x = normed(conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
        elif x.shape != y.shape:
            x = x[:, :, ::stride, ::stride, ::stride]
            x = torch.cat([x, x.new_zeros(len(x), y.shape[1] - x.shape[1], *x.shape[2:])], 1)
        return F.relu(y + x)

    x = F.relu(normed(conv(x, "conv1", stem_stride), "bn1"))
    maps = [x]
    x = F.max_pool3d(x, 3, 2, 1)
    for layer, (stride, dilation) in enumerate(zip(strides, dilations, strict=True), start=1):
        unit = 0
        while f"layer{layer}.{unit}.conv1.weight" in state:
            x = block(x, f"layer{layer}.{unit}", stride if unit == 0 else 1, dilation)
            unit += 1
        maps.append(x)
    return maps


def resnet_state(
    units: Sequence[int],
    *,
    bottleneck: bool = False,
    projects: bool = True,
    stem: Sequence[int] = (1, 7, 7, 7),
    seed: int = 0,
) -> dict[str, Tensor]:
    """Random weights under the names that torchvision, MedicalNet and Merlin share.

    Args:
        units: blocks a layer.
        bottleneck: three convolutions a block.
        projects: a convolution in the shortcut where a layer widens.
        stem: channels and kernel of the first convolution.
        seed: of the weights.
    """
    random = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def conv(name: str, bn: str, out: int, into: int, *kernel: int) -> None:
        shape = (out, into, *kernel)
        scale = (2 / torch.tensor(shape[1:]).prod()) ** 0.5
        state[f"{name}.weight"] = scale * torch.randn(shape, generator=random)
        state[f"{bn}.weight"] = 0.5 + torch.rand(out, generator=random)
        state[f"{bn}.bias"] = 0.1 * torch.randn(out, generator=random)
        state[f"{bn}.running_mean"] = 0.1 * torch.randn(out, generator=random)
        state[f"{bn}.running_var"] = 0.5 + torch.rand(out, generator=random)
        state[f"{bn}.num_batches_tracked"] = torch.tensor(100)

    conv("conv1", "bn1", 64, *stem)
    before = 64
    for layer, (width, count) in enumerate(zip((64, 128, 256, 512), units, strict=True), start=1):
        out = 4 * width if bottleneck else width
        for unit in range(count):
            name = f"layer{layer}.{unit}"
            if bottleneck:
                conv(f"{name}.conv1", f"{name}.bn1", width, before, 1, 1, 1)
                conv(f"{name}.conv2", f"{name}.bn2", width, width, 3, 3, 3)
                conv(f"{name}.conv3", f"{name}.bn3", out, width, 1, 1, 1)
            else:
                conv(f"{name}.conv1", f"{name}.bn1", width, before, 3, 3, 3)
                conv(f"{name}.conv2", f"{name}.bn2", width, width, 3, 3, 3)
            if projects and before != out:
                conv(f"{name}.downsample.0", f"{name}.downsample.1", out, before, 1, 1, 1)
            before = out
    return state
