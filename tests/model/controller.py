"""The Universal Model's head (Liu et al., ICCV 2023) as a function of its state dict."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def state(organs: Sequence[str], features: int, coarsest: int, seed: int = 0) -> dict[str, Tensor]:
    """Random weights under the published names and shapes; 512 numbers a text, 153 an organ."""
    shapes = {
        "precls_conv.0.weight": (features,),
        "precls_conv.0.bias": (features,),
        "precls_conv.2.weight": (8, features, 1, 1, 1),
        "precls_conv.2.bias": (8,),
        "GAP.0.weight": (coarsest,),
        "GAP.0.bias": (coarsest,),
        "GAP.3.weight": (256, coarsest, 1, 1, 1),
        "GAP.3.bias": (256,),
        "controller.weight": (153, 512, 1, 1, 1),
        "controller.bias": (153,),
        "organ_embedding": (len(organs), 512),
        "text_to_vision.weight": (256, 512),
        "text_to_vision.bias": (256,),
    }
    random = torch.Generator().manual_seed(seed)
    return {name: 0.2 * torch.randn(shape, generator=random) for name, shape in shapes.items()}


def logits(features: Tensor, coarsest: Tensor, head: Mapping[str, Tensor]) -> Tensor:
    """(b, organs, d, h, w), all organs at once."""

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ head[f"{name}.weight"].flatten(1).T + head[f"{name}.bias"]

    def normed(x: Tensor, name: str) -> Tensor:
        return F.relu(F.group_norm(x, 16, head[f"{name}.weight"], head[f"{name}.bias"]))

    image = linear(normed(coarsest, "GAP.0").mean((2, 3, 4)), "GAP.3")
    organs = F.relu(linear(head["organ_embedding"], "text_to_vision"))
    b, n = len(image), len(organs)
    pairs = torch.cat([image[:, None].expand(b, n, -1), organs[None].expand(b, n, -1)], dim=2)
    made = linear(pairs, "controller")
    first, second, third = made[..., :64], made[..., 64:128], made[..., 128:136]
    biases = made[..., 136:144], made[..., 144:152], made[..., 152:]
    x = linear(normed(features, "precls_conv.0").movedim(1, -1), "precls_conv.2")
    x = torch.einsum("nkoi,ndhwi->nkdhwo", first.view(b, n, 8, 8), x)
    x = F.relu(x + biases[0][:, :, None, None, None])
    x = torch.einsum("nkoi,nkdhwi->nkdhwo", second.view(b, n, 8, 8), x)
    x = F.relu(x + biases[1][:, :, None, None, None])
    return torch.einsum("nki,nkdhwi->nkdhw", third, x) + biases[2][..., None, None]
