"""2D networks written from their papers, as functions of a state dict: what inflation must match.

Each returns its feature maps, finest first.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


def norm(x: Tensor, state: State, name: str, eps: float) -> Tensor:
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return F.batch_norm(
        x, mean, var, state[f"{name}.weight"], state[f"{name}.bias"], training=False, eps=eps
    )


def resnet18(x: Tensor, state: State) -> list[Tensor]:
    """He et al. 2016, figure 3 and table 1."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = state[f"{name}.weight"]
        return F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)

    def block(x: Tensor, name: str, stride: int) -> Tensor:
        y = F.relu(norm(conv(x, f"{name}.conv1", stride), state, f"{name}.bn1", 1e-5))
        y = norm(conv(y, f"{name}.conv2"), state, f"{name}.bn2", 1e-5)
        if f"{name}.downsample.0.weight" in state:
            x = conv(x, f"{name}.downsample.0", stride)
            x = norm(x, state, f"{name}.downsample.1", 1e-5)
        return F.relu(y + x)

    x = F.relu(norm(conv(x, "conv1", 2), state, "bn1", 1e-5))
    maps = [x]
    x = F.max_pool2d(x, 3, 2, 1)
    for layer in (1, 2, 3, 4):
        x = block(x, f"layer{layer}.0", 1 if layer == 1 else 2)
        x = block(x, f"layer{layer}.1", 1)
        maps.append(x)
    return maps


def resnet18_state(seed: int = 0) -> dict[str, Tensor]:
    """Random weights in the layout of torchvision's `resnet18-*.pth`."""
    random = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def conv(name: str, out: int, into: int, kernel: int) -> None:
        scale = (2 / (into * kernel**2)) ** 0.5
        state[f"{name}.weight"] = scale * torch.randn(out, into, kernel, kernel, generator=random)

    def bn(name: str, width: int) -> None:
        state[f"{name}.weight"] = 0.5 + torch.rand(width, generator=random)
        state[f"{name}.bias"] = 0.1 * torch.randn(width, generator=random)
        state[f"{name}.running_mean"] = 0.1 * torch.randn(width, generator=random)
        state[f"{name}.running_var"] = 0.5 + torch.rand(width, generator=random)
        state[f"{name}.num_batches_tracked"] = torch.tensor(100)

    conv("conv1", 64, 3, 7)
    bn("bn1", 64)
    before = 64
    for layer, width in enumerate((64, 128, 256, 512), start=1):
        for unit in (0, 1):
            name = f"layer{layer}.{unit}"
            conv(f"{name}.conv1", width, before, 3)
            bn(f"{name}.bn1", width)
            conv(f"{name}.conv2", width, width, 3)
            bn(f"{name}.bn2", width)
            if before != width:
                conv(f"{name}.downsample.0", width, before, 1)
                bn(f"{name}.downsample.1", width)
            before = width
    state["fc.weight"] = torch.randn(1000, 512, generator=random)
    state["fc.bias"] = torch.zeros(1000)
    return state


def efficientnet_lite0(x: Tensor, state: State) -> list[Tensor]:
    """Tan and Le 2019, table 1, in its Lite form: ReLU6, no squeeze-and-excitation."""
    stages = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]  # repeats, stride
    strides = [stride if i == 0 else 1 for repeats, stride in stages for i in range(repeats)]

    def same(x: Tensor, name: str, stride: int) -> Tensor:
        kernel = state[f"{name}.weight"]
        size, k = x.shape[-1], kernel.shape[-1]
        total = max((-(-size // stride) - 1) * stride + k - size, 0)
        sides = (total // 2, total - total // 2)
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        return F.conv2d(F.pad(x, (*sides, *sides)), kernel, stride=stride, groups=groups)

    x = F.relu6(norm(same(x, "_conv_stem", 2), state, "_bn0", 1e-3))
    maps = []
    for index, stride in enumerate(strides):
        if stride == 2:
            maps.append(x)
        name, y = f"_blocks.{index}", x
        if f"{name}._expand_conv.weight" in state:
            y = F.conv2d(y, state[f"{name}._expand_conv.weight"])
            y = F.relu6(norm(y, state, f"{name}._bn0", 1e-3))
        y = same(y, f"{name}._depthwise_conv", stride)
        y = F.relu6(norm(y, state, f"{name}._bn1", 1e-3))
        y = norm(F.conv2d(y, state[f"{name}._project_conv.weight"]), state, f"{name}._bn2", 1e-3)
        x = x + y if x.shape == y.shape else y
    return [*maps, x]


def squeezenet(x: Tensor, state: State) -> list[Tensor]:
    """Iandola et al. 2016, table 1, version 1.0."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = state[f"{name}.weight"]
        padding = kernel.shape[-1] // 2
        return F.conv2d(x, kernel, state[f"{name}.bias"], stride=stride, padding=padding)

    x = F.relu(conv(x, "conv1", 2))
    maps = []
    for fire in range(2, 10):
        if fire in (2, 5, 9):
            maps.append(x)
            x = F.max_pool2d(x, 3, 2, 1)
        x = F.relu(conv(x, f"fire{fire}.conv1x1_1"))
        branches = [conv(x, f"fire{fire}.{name}") for name in ("conv1x1_2", "conv3x3_2")]
        x = F.relu(torch.cat(branches, dim=1))
    return [*maps, x]
