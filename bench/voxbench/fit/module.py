"""Steps of the optimiser as Lightning runs them, each on all parts of a batch."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from voxbench import stopping
from voxbench.fit.curve import LossCurve
from voxbench.fit.optim import ParameterGroup, Schedule, optimiser, rates
from voxbench.fit.ranks import Ranks
from voxbench.fit.share import Share, random_state, set_random_state
from voxbench.fit.stream import Tensors
from voxbench.fit.terms import Terms, told, total
from voxbench.progress import Stage, tell

LAYOUT = 3
"""Of checkpoints; others are not continued."""

_SECONDS = 0.05  # of steps between Lightning's hooks

Loss = Callable[..., Tensor | Terms]
"""Images, labels, labelled → scalar, or the terms whose weighted sum it is.

Of a part of a batch it is given its `Share` too, and the mean over all parts is the loss."""

Counts = Callable[[Tensor, Tensor], Tensor]
"""Labels, labelled → (k,), the numbers that means over the batch are divided by."""

Told = tuple[Tensor, Mapping[str, Tensor | float]]
"""A loss, and what it tells of its terms."""


class Module(pl.LightningModule):
    """Binds a loss and a schedule to a network; see `loop.train`."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        schedule: Schedule,
        groups: Sequence[ParameterGroup],
        before_step: Callable[[float], None] | None,
        due: Set[int],
        counts: Counts | None,
        ranks: Ranks,
        doing: str,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.loss = loss
        self.schedule = schedule
        self.groups = groups
        self.before_step = before_step
        self.due = due
        self.counts = counts
        self.ranks = ranks
        self.doing = doing
        self.curve = LossCurve(schedule)

    def __setattr__(self, name: str, value: Any) -> None:
        """Torch looks for a parameter in it first: long, where Lightning notes all its hooks."""
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def training_step(self, batches: Iterator[Tensors], _index: int) -> None:
        """Steps of the optimiser, until something is due or time is up; one where ranks meet here.

        What Lightning does around them takes half a millisecond, which short steps share.
        """
        until = time.monotonic() + (_SECONDS if self.ranks.count == 1 else 0.0)
        for batch in batches:
            self._step(batch)
            if time.monotonic() >= until or self.global_step in self.due or stopping.asked():
                return

    def _step(self, batch: Tensors) -> None:
        step = self.global_step
        if self.before_step:
            self.before_step(step / self.schedule.steps)
        optimiser: Any = self.optimizers()
        rate: Any = self.lr_schedulers()
        optimiser.zero_grad()
        images, labels, labelled = (part.to(self.device, non_blocking=True) for part in batch)
        loss, told = self._backward(images, labels.long(), labelled)
        optimiser.step()
        rate.step()
        self.curve.add(loss, step + 1, told)
        if self.ranks.first:
            tell(Stage(self.doing, step + 1, self.schedule.steps, self.curve.last))

    def _backward(self, *batch: Tensor) -> Told:
        """The gradient of the batch, on every rank; the loss is that of all of them too."""
        if self.schedule.parts == 1:
            loss, told = self._evaluated(*batch)
            self.manual_backward(loss)
            return loss.detach(), told
        here = self.schedule.parts // self.ranks.count
        counts, random = self._counts(*batch[1:]) / here, random_state(self.device)
        means = torch.zeros((), device=self.device)
        for i, part in enumerate(zip(*(one.chunk(here) for one in batch), strict=True)):
            set_random_state(random, self.device)
            share = Share(self.ranks.rank * here + i, self.schedule.parts, counts)
            with nullcontext() if i + 1 == here else self._apart():
                loss, told = self._evaluated(*part, share)
                self.manual_backward(loss / here)
            values = [loss.detach(), *map(self._scalar, told.values())]
            means = means + torch.stack(values) / here
        means = self.trainer.strategy.reduce(means)
        return means[0], dict(zip(told, means[1:], strict=True))

    def _evaluated(self, *part: Tensor | Share) -> Told:
        found = self.loss(*part)
        return (total(found), told(found)) if isinstance(found, Mapping) else (found, {})

    def _counts(self, labels: Tensor, labelled: Tensor) -> Tensor:
        """The mean over ranks of what their means are divided by."""
        assert self.counts  # noqa: S101 (checked before)
        own = self.counts(labels, labelled)
        mean: Tensor = self.trainer.strategy.reduce(own) if len(own) else own
        return mean

    def _apart(self) -> AbstractContextManager[None]:
        """Add gradients up here before the ranks share them."""
        model: Any = self.trainer.strategy.model
        return model.no_sync() if self.ranks.count > 1 else nullcontext()

    def _scalar(self, value: Tensor | float) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float32, device=self.device)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradient of the whole batch."""
        if self.schedule.gradient_clip is not None:
            self.clip_gradients(optimizer, gradient_clip_val=self.schedule.gradient_clip)

    def configure_optimizers(self) -> Any:
        """The recipe's optimiser, with its rate set at every step."""
        chosen = optimiser(self.groups, self.schedule)
        scheduler = torch.optim.lr_scheduler.LambdaLR(chosen, rates(self.groups, self.schedule))
        return {
            "optimizer": chosen,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the loss curve."""
        curve = self.curve
        checkpoint["layout"] = LAYOUT
        checkpoint["terms"] = (
            curve.terms,
            {name: float(part) for name, part in curve.sums.items()},
        )
        checkpoint["curve"] = (curve.losses, float(curve.total), curve.count, curve.seconds)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the loss curve."""
        curve = self.curve
        curve.terms, curve.sums = checkpoint["terms"]
        curve.losses, curve.total, curve.count, curve.earlier = checkpoint["curve"]
