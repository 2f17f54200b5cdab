"""Models Genesis' U-Net (Zhou et al., MedIA 2021) as a function of its published state dict."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

DOWN = ("down_tr64", "down_tr128", "down_tr256", "down_tr512")
UP = ("up_tr256", "up_tr128", "up_tr64")


def state(width: int = 32, seed: int = 0) -> dict[str, Tensor]:
    """Random weights under the published names; `width` is the first convolution's."""
    random = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}

    def block(name: str, into: int, out: int) -> None:
        scale = (2 / (27 * into)) ** 0.5
        weights[f"{name}.conv1.weight"] = scale * torch.randn(out, into, 3, 3, 3, generator=random)
        weights[f"{name}.conv1.bias"] = 0.1 * torch.randn(out, generator=random)
        weights[f"{name}.bn1.weight"] = 0.5 + torch.rand(out, generator=random)
        weights[f"{name}.bn1.bias"] = 0.1 * torch.randn(out, generator=random)
        weights[f"{name}.bn1.running_mean"] = torch.randn(out, generator=random)
        weights[f"{name}.bn1.running_var"] = 0.5 + torch.rand(out, generator=random)
        weights[f"{name}.bn1.num_batches_tracked"] = torch.tensor(100)

    into = 1
    for level, name in enumerate(DOWN):
        half = width * 2**level
        block(f"{name}.ops.0", into, half)
        block(f"{name}.ops.1", half, 2 * half)
        into = 2 * half
    for name in UP:
        up = 0.1 * torch.randn(into, into, 2, 2, 2, generator=random)
        weights[f"{name}.up_conv.weight"] = up
        weights[f"{name}.up_conv.bias"] = 0.1 * torch.randn(into, generator=random)
        block(f"{name}.ops.0", into + into // 2, into // 2)
        block(f"{name}.ops.1", into // 2, into // 2)
        into //= 2
    return weights


def unet3d(x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The coarsest map and the features of one volume; norms use its own statistics."""

    def block(x: Tensor, name: str) -> Tensor:
        x = F.conv3d(x, weights[f"{name}.conv1.weight"], weights[f"{name}.conv1.bias"], padding=1)
        scale, shift = weights[f"{name}.bn1.weight"], weights[f"{name}.bn1.bias"]
        return F.relu(F.batch_norm(x, None, None, scale, shift, training=True))

    skips = []
    for name in DOWN:
        x = block(block(F.max_pool3d(x, 2) if skips else x, f"{name}.ops.0"), f"{name}.ops.1")
        skips.append(x)
    coarsest = skips.pop()
    for name in UP:
        up, bias = weights[f"{name}.up_conv.weight"], weights[f"{name}.up_conv.bias"]
        x = torch.cat([F.conv_transpose3d(x, up, bias, stride=2), skips.pop()], dim=1)
        x = block(block(x, f"{name}.ops.0"), f"{name}.ops.1")
    return coarsest, x
