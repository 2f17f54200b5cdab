"""A few optimiser steps on smooth images."""

import torch
from torch import Tensor
from voxbench.fit.terms import total
from voxbench.pretrain.objective import Objective


def waves(batch: int, side: int = 32) -> Tensor:
    """Smooth images (batch, 1, side, side, side), each of its own phase, other along each axis."""
    axis = torch.arange(side) / side
    d, h, w = torch.meshgrid(axis, axis, axis, indexing="ij")
    phases = torch.arange(batch).view(-1, 1, 1, 1) * 1.7
    return (torch.sin(3 * d + phases) + d * h + torch.cos(5 * w * d + phases)).unsqueeze(1)


def losses(
    module: Objective, images: Tensor, steps: int, rate: float = 1e-2
) -> tuple[float, float]:
    """Mean loss of the first and of the last quarter of the steps."""
    torch.manual_seed(0)
    nothing = torch.zeros(0)
    optimiser = torch.optim.AdamW(module.parameters(), lr=rate)
    values = []
    for step in range(steps):
        module.before_step(step / steps)
        loss = total(module(images, nothing, nothing))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    quarter = steps // 4
    return sum(values[:quarter]) / quarter, sum(values[-quarter:]) / quarter
