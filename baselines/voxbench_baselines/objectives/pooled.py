"""One vector a patch: what the encoder's coarsest map says of it as a whole."""

import torch
from torch import Tensor


def pooled(features: Tensor) -> Tensor:
    """Mean and maximum of every channel: (b, c, d, h, w) → (b, 2·c).

    Where the map has gone through instance norm, its mean is nearly the same for every patch, so
    the maximum joins it.
    """
    return torch.cat([features.mean((2, 3, 4)), features.amax((2, 3, 4))], dim=1)
