"""Optimiser and learning-rate schedule of a recipe."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer

from voxbench.design.recipe import Pretraining, Recipe

Schedule = Recipe | Pretraining


class ParameterGroup(NamedTuple):
    """Parameters that are trained at a rate of their own.

    Attributes:
        parameters: of the network.
        scale: of the schedule's rate.
        start: step before which they don't move.
    """

    parameters: list[nn.Parameter]
    scale: float = 1.0
    start: int = 0


def factor(step: int, schedule: Schedule) -> float:
    """Share of the learning rate at a step: linear warm-up, then the recipe's decay to 0."""
    warmup = round(schedule.warmup * schedule.steps)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, schedule.steps - warmup)
    if schedule.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    if schedule.schedule == "poly":
        return float((1 - min(1.0, progress)) ** 0.9)
    return 1.0


def optimiser(groups: Sequence[ParameterGroup], schedule: Schedule) -> Optimizer:
    """AdamW, or SGD with Nesterov momentum, 0.99 as in nnU-Net unless the schedule says so."""
    plain = [{"params": group.parameters} for group in groups]
    if schedule.optimiser == "adamw":
        unscaled = schedule.gradient_clip is not None and schedule.precision == "16"
        return torch.optim.AdamW(
            plain,
            lr=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
            fused=not unscaled,  # a fused step unscales gradients itself, too late to clip them
        )
    momentum = 0.99 if schedule.momentum is None else schedule.momentum
    return torch.optim.SGD(
        plain,
        lr=schedule.learning_rate,
        weight_decay=schedule.weight_decay,
        momentum=momentum,
        nesterov=momentum > 0,
    )


def rates(groups: Sequence[ParameterGroup], schedule: Schedule) -> list[Callable[[int], float]]:
    """One factor a group: the schedule times its `scale`, 0 before its `start` step."""

    def rate(scale: float, start: int) -> Callable[[int], float]:
        return lambda step: scale * factor(step, schedule) if step >= start else 0.0

    return [rate(group.scale, group.start) for group in groups]


def all_parameters(network: nn.Module) -> list[ParameterGroup]:
    """A single group with every trainable parameter."""
    return [ParameterGroup([p for p in network.parameters() if p.requires_grad])]
