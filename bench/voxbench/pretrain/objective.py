"""What a backbone is pre-trained for: a module that the engine trains, and its EMA teacher."""

import copy
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from voxbench.fit.terms import Terms
from voxbench.model.backbones import Backbone


class Objective(nn.Module, ABC):
    """A backbone, with what is trained beside it, and the loss that trains them.

    Whatever is a submodule is on the device, saved, continued and, where its parameters take
    gradients, trained: heads, projectors, queues (as buffers), teachers.

    Views, masks and augmentation of its own are drawn in `forward` from torch's generator, which
    the engine seeds. What of the shared augmentation would spoil its target its baseline
    `forbids`.

    Args:
        backbone: what is pre-trained; its tensors are what cells load.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    @abstractmethod
    def forward(self, images: Tensor, labels: Tensor, labelled: Tensor) -> Terms:
        """The terms of the loss by name, each with the trivial values that it must beat.

        Args:
            images: (batch, channel, d, h, w) float32.
            labels: (batch, d, h, w) int64; class `i` of the card has the value `i + 1`.
            labelled: (batch, class) bool, which classes were annotated, in the card's order.
        """

    def counts(self, labels: Tensor, labelled: Tensor) -> Tensor:  # noqa: ARG002 (for subclasses)
        """What means over a batch are divided by, beside its number of patches: (k,).

        Of an objective whose baseline is `divisible`; `forward` is then given a `Share` too.

        Args:
            labels: (batch, d, h, w).
            labelled: (batch, class) bool.
        """
        return labels.new_zeros(0)

    def before_step(self, progress: float) -> None:
        """Called before each training step: move a teacher, warm a temperature up.

        Args:
            progress: share of the steps that is done, from 0.
        """


class Teacher(nn.Module):
    """A copy of a module that follows it as an exponential moving average, without gradients.

    (Tarvainen and Valpola, Mean teachers, NeurIPS 2017; He et al., MoCo, CVPR 2020.)

    Args:
        student: what is copied.
    """

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.copy = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def forward(self, *inputs: Tensor) -> Tensor:
        """What the copy makes of the inputs."""
        output: Tensor = self.copy(*inputs)
        return output

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """Keep `momentum` of every parameter, take the rest from the student; copy its buffers."""
        for parameter, theirs in zip(self.copy.parameters(), student.parameters(), strict=True):
            parameter.lerp_(theirs, 1 - momentum)
        for buffer, value in zip(self.copy.buffers(), student.buffers(), strict=True):
            buffer.copy_(value)
