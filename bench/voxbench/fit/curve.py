"""The loss curve of a training."""

import math
import time
from collections.abc import Mapping

from torch import Tensor

from voxbench.errors import FitError
from voxbench.fit.optim import Schedule

_ENTRIES = 50


class LossCurve:
    """The loss curve: means are read off the device every few steps only.

    Attributes:
        losses: step → mean loss since the entry before.
        terms: what the loss tells of its terms → step → mean.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.every = max(1, schedule.steps // _ENTRIES)
        self.losses: dict[int, float] = {}
        self.terms: dict[str, dict[int, float]] = {}
        self.total: float | Tensor = 0.0
        self.sums: dict[str, float | Tensor] = {}
        self.count = 0
        self.earlier = 0.0
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Wall clock of the training, stops left out."""
        return self.earlier + time.perf_counter() - self.started

    @property
    def last(self) -> float | None:
        """The entry before; None at first."""
        return next(reversed(self.losses.values()), None)

    def add(self, value: Tensor, step: int, told: Mapping[str, Tensor | float]) -> None:
        """Count the loss of a step, and what it tells of its terms.

        Raises:
            FitError: the mean since the last entry is not finite.
        """
        self.total = self.total + value
        self.sums = {name: self.sums.get(name, 0.0) + part for name, part in told.items()}
        self.count += 1
        if step % self.every and step != self.schedule.steps:
            return
        mean = float(self.total) / self.count
        if not math.isfinite(mean):
            raise FitError(
                f"the loss is {mean} at step {step}: lower recipe.learning_rate "
                f"(now {self.schedule.learning_rate:g}) or use precision 32."
            )
        self.losses[step] = mean
        for name, part in self.sums.items():
            self.terms.setdefault(name, {})[step] = float(part) / self.count
        self.total, self.sums, self.count = 0.0, {}, 0
