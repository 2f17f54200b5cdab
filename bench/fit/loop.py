"""The training loop: a lean Lightning run that can stop anywhere and go on byte-equal."""

import copy
import logging
import math
import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from bench.data.patches import Batch
from bench.errors import FitError
from bench.fit.optim import Group, Schedule, optimiser, rates, whole

Tensors = tuple[Tensor, Tensor, Tensor]
_PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}
_ENTRIES = 50


class Training(NamedTuple):
    """What a training left behind, besides the weights in the network.

    Attributes:
        losses: step → mean loss since the entry before.
        validation: step → score of `validate`, where the recipe selects the best.
        seconds: in the loop, those before a stop up to the last checkpoint included.
        steps: optimiser steps taken.
    """

    losses: dict[int, float]
    validation: dict[int, float]
    seconds: float
    steps: int


def train(
    network: nn.Module,
    loss: Callable[[Tensors], Tensor],
    batches: Callable[[int], Batch],
    schedule: Schedule,
    *,
    seed: int,
    device: str,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 60.0,
    groups: Sequence[Group] | None = None,
    validate: Callable[[], float] | None = None,
) -> Training:
    """Train a network in place for `schedule.steps` optimiser steps.

    Args:
        network: what is trained; `loss` closes over it.
        loss: scalar loss of (images, labels, labelled) on the device.
        batches: the batch of a step, a pure function of it, so that a continued training sees
            the same ones.
        schedule: steps, optimiser, learning rate, precision.
        seed: of torch's generator (dropout, masks).
        device: "cpu" or "cuda:N".
        checkpoint: written every `checkpoint_seconds`, continued from if it exists, and
            removed at the end.
        checkpoint_seconds: wall clock between checkpoints.
        groups: parameter groups with `params`, `scale`, `start`; all parameters if None.
        validate: score of the network as it is, looked at `schedule.validations` times; the
            network ends with the best weights.

    Raises:
        FitError: the loss is not finite.
    """
    module = _Module(network, loss, schedule, groups or whole(network))
    callbacks: list[Callback] = [_RandomState()]
    best = _Best(network, validate, schedule) if validate else None
    if best:
        callbacks.append(best)
    if checkpoint:
        callbacks.append(_Checkpoint(checkpoint, checkpoint_seconds))
    torch.manual_seed(seed)
    with _quiet():
        trainer = pl.Trainer(
            accelerator="gpu" if device.startswith("cuda") else "cpu",
            devices=[int(device.partition(":")[2] or 0)] if device.startswith("cuda") else 1,
            precision=_PRECISION[schedule.precision],
            max_steps=schedule.steps,
            max_epochs=-1,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        ahead = 4 if device.startswith("cuda") else 1
        stream = _Stream(batches, module, schedule.steps, ahead)
        try:
            trainer.fit(module, stream, ckpt_path=_usable(checkpoint), weights_only=True)
        except SystemExit as stopped:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from stopped
    seconds = module.curve.seconds
    if best:
        best.restore()
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    return Training(module.curve.losses, best.scores if best else {}, seconds, trainer.global_step)


class _Curve:
    """The loss curve: the mean is read off the device every few steps only."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.every = max(1, schedule.steps // _ENTRIES)
        self.losses: dict[int, float] = {}
        self.total: float | Tensor = 0.0
        self.count = 0
        self.earlier = 0.0
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Wall clock of the training, stops left out."""
        return self.earlier + time.perf_counter() - self.started

    def add(self, value: Tensor, step: int) -> None:
        """Count the loss of a step.

        Raises:
            FitError: the mean since the last entry is not finite.
        """
        self.total = self.total + value
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
        self.total, self.count = 0.0, 0


class _Module(pl.LightningModule):
    """Binds a loss and a schedule to a network."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[Tensors], Tensor],
        schedule: Schedule,
        groups: Sequence[Group],
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.schedule = schedule
        self.groups = groups
        self.curve = _Curve(schedule)

    def training_step(self, batch: Tensors, _index: int) -> Tensor:
        """The loss of one batch."""
        value = self.loss(batch)
        self.curve.add(value.detach(), self.global_step + 1)
        return value

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
        checkpoint["curve"] = (curve.losses, float(curve.total), curve.count, curve.seconds)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the loss curve."""
        curve = self.curve
        curve.losses, curve.total, curve.count, curve.earlier = checkpoint["curve"]


class _Stream:
    """Batches from the module's step on, the next ones made while the last is used."""

    def __init__(
        self, batches: Callable[[int], Batch], module: _Module, steps: int, ahead: int
    ) -> None:
        self.batches = batches
        self.module = module
        self.steps = steps
        self.ahead = ahead

    def _tensors(self, step: int) -> Tensors:
        batch = self.batches(step)
        return (
            torch.from_numpy(np.ascontiguousarray(batch.images, dtype=np.float32)),
            torch.from_numpy(np.ascontiguousarray(batch.labels, dtype=np.int64)),
            torch.from_numpy(np.ascontiguousarray(batch.labelled)),
        )

    def __iter__(self) -> Iterator[Tensors]:
        steps = iter(range(self.module.global_step, self.steps))
        with ThreadPoolExecutor(self.ahead) as pool:
            waiting = deque(pool.submit(self._tensors, k) for k in islice(steps, self.ahead))
            while waiting:
                ready = waiting.popleft().result()
                waiting.extend(pool.submit(self._tensors, k) for k in islice(steps, 1))
                yield ready


class _RandomState(Callback):
    """Carries torch's generators over a stop."""

    def __init__(self) -> None:
        self.saved: dict[str, Any] | None = None

    def on_save_checkpoint(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["random"] = {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def on_load_checkpoint(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.saved = checkpoint["random"]

    def on_train_start(self, _trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        if self.saved:
            torch.set_rng_state(self.saved["cpu"])
            if self.saved["cuda"]:
                torch.cuda.set_rng_state_all(self.saved["cuda"])


class _Checkpoint(Callback):
    """Writes the whole state now and then, whole or not at all."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self.seconds = seconds
        self.last = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if time.monotonic() - self.last < self.seconds:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        trainer.save_checkpoint(temporary)
        temporary.replace(self.path)
        self.last = time.monotonic()


class _Best(Callback):
    """Looks at the validation cases now and then and keeps the best weights."""

    def __init__(
        self, network: nn.Module, validate: Callable[[], float], schedule: Schedule
    ) -> None:
        self.network = network
        self.validate = validate
        looks = getattr(schedule, "validations", 1)
        self.every = max(1, schedule.steps // looks)
        self.scores: dict[int, float] = {}
        self.weights: dict[str, Tensor] = {}

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        step = trainer.global_step
        if step % self.every:
            return
        self.network.eval()
        score = self.validate()
        self.network.train()
        if not self.scores or score > max(self.scores.values()):
            self.weights = copy.deepcopy(self.network.state_dict())
        self.scores[step] = score

    def restore(self) -> None:
        """Put the best weights back."""
        self.network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"scores": self.scores, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.scores, self.weights = state_dict["scores"], state_dict["weights"]


def _usable(checkpoint: Path | None) -> Path | None:
    """The checkpoint, unless it is missing or can't be read; then training starts again."""
    if checkpoint is None or not checkpoint.exists():
        return None
    try:
        torch.load(checkpoint, weights_only=True, map_location="cpu")
    except (RuntimeError, OSError, EOFError, ValueError):
        checkpoint.unlink()
        return None
    return checkpoint


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's start-up lines and advice about data loaders out of the output."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
            warnings.filterwarnings("ignore", message=".*weights_only.*")
            yield
    finally:
        logger.setLevel(level)
