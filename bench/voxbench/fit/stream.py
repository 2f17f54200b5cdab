"""Batches as tensors, the next ones made while the last is used."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import wait
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from voxbench import stopping
from voxbench.data.batches import Batches
from voxbench.threads import threads

Tensors = tuple[Tensor, Tensor, Tensor]
"""Images (batch, channel, d, h, w), labels (batch, d, h, w) uint8, labelled (batch, class)."""


@dataclass(frozen=True, eq=False)
class Stream:
    """The batches of the steps that are left when it is iterated.

    Attributes:
        batches: the batch of a step.
        first: tells the step to start from, once training does.
        steps: one past the last.
        ahead: batches that are made in advance, each in a thread.
        slots: of each batch, which are made alone; None makes all.
        pinned: in memory that a GPU copies from while it computes.
    """

    batches: Batches
    first: Callable[[], int]
    steps: int
    ahead: int
    slots: range | None = None
    pinned: bool = False

    def _tensors(self, step: int) -> Tensors:
        batch = self.batches(step, self.slots) if self.slots else self.batches(step)
        images, labels, labelled = (torch.from_numpy(np.ascontiguousarray(part)) for part in batch)
        if self.pinned:
            return images.pin_memory(), labels.pin_memory(), labelled.pin_memory()
        return images, labels, labelled

    def __iter__(self) -> Generator[Tensors, None, None]:
        steps = iter(range(self.first(), self.steps))
        with threads(self.ahead) as pool:
            waiting = deque(pool.submit(self._tensors, k) for k in islice(steps, self.ahead))
            with stopping.at_once():  # nothing is trained yet that would be lost
                wait(islice(waiting, 1))
            while waiting:
                ready = waiting.popleft().result()
                waiting.extend(pool.submit(self._tensors, k) for k in islice(steps, 1))
                yield ready
