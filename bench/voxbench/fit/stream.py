"""Batches as tensors, the next ones made while the last is used."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from voxbench.data.batches import Batches

Tensors = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Stream:
    """The batches of the steps that are left when it is iterated.

    Attributes:
        batches: the batch of a step.
        first: tells the step to start from, once training does.
        steps: one past the last.
        ahead: batches that are made in advance, each in a thread.
    """

    batches: Batches
    first: Callable[[], int]
    steps: int
    ahead: int

    def _tensors(self, step: int) -> Tensors:
        batch = self.batches(step)
        return (
            torch.from_numpy(np.ascontiguousarray(batch.images, dtype=np.float32)),
            torch.from_numpy(np.ascontiguousarray(batch.labels, dtype=np.int64)),
            torch.from_numpy(np.ascontiguousarray(batch.labelled)),
        )

    def __iter__(self) -> Iterator[Tensors]:
        steps = iter(range(self.first(), self.steps))
        with ThreadPoolExecutor(self.ahead) as pool:
            waiting = deque(pool.submit(self._tensors, k) for k in islice(steps, self.ahead))
            while waiting:
                ready = waiting.popleft().result()
                waiting.extend(pool.submit(self._tensors, k) for k in islice(steps, 1))
                yield ready
