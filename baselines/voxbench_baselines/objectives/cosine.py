"""Cosines in float32, also where a training computes in half precision."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Of each vector with each other: (…, n, features) and (…, m, features) → (…, n, m).

    Autocast would round the products of float32 vectors to half precision, and with them the
    differences that a contrast is about.
    """
    with torch.autocast(first.device.type, enabled=False):
        one, other = (F.normalize(vectors.float(), dim=-1) for vectors in (first, second))
        similar: Tensor = one @ other.mT
        return similar
