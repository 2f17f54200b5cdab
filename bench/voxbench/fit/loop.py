"""The training loop: a lean Lightning run that can stop anywhere and go on byte-equal."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from voxbench.data.batches import Batches
from voxbench.fit.callbacks import BestWeights, CheckpointWriter, RandomState, StepTeller
from voxbench.fit.curve import LossCurve
from voxbench.fit.optim import ParameterGroup, Schedule, all_parameters, optimiser, rates
from voxbench.fit.precision import check_precision
from voxbench.fit.stream import Stream, Tensors
from voxbench.fit.terms import Terms, told, total

_PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}

Loss = Callable[[Tensor, Tensor, Tensor], Tensor | Terms]
"""Images, labels, labelled → scalar, or the terms whose weighted sum it is."""


class FitResult(NamedTuple):
    """What a training left behind, besides the weights in the network.

    Attributes:
        losses: step → mean loss since the entry before.
        terms: what the loss tells of its terms → step → mean; see `fit.terms.told`.
        validation: step → score of `validate`, where the recipe selects the best.
        seconds: in the loop, those before a stop up to the last checkpoint included.
        steps: optimiser steps taken.
    """

    losses: dict[int, float]
    terms: dict[str, dict[int, float]]
    validation: dict[int, float]
    seconds: float
    steps: int


def train(
    network: nn.Module,
    loss: Loss,
    batches: Batches,
    schedule: Schedule,
    *,
    seed: int,
    device: str,
    checkpoint: Path | None = None,
    groups: Sequence[ParameterGroup] | None = None,
    validate: Callable[[], float] | None = None,
    before_step: Callable[[float], None] | None = None,
    doing: str = "training",
) -> FitResult:
    """Train a network in place for `schedule.steps` optimiser steps.

    Args:
        network: what is trained; `loss` closes over it.
        loss: of images (batch, channel, d, h, w), labels (batch, d, h, w) and labelled (batch,
            class), on the device.
        batches: the batch of a step, a pure function of it, so that a continued training sees
            the same ones.
        schedule: steps, optimiser, learning rate, precision.
        seed: of torch's generator (dropout, masks).
        device: "cpu" or "cuda:N".
        checkpoint: written once a minute and continued from if it exists; it is to be removed once
            what was trained is stored.
        groups: of parameters, at rates of their own; all at one rate if None.
        validate: score of the network as it is, looked at `schedule.validations` times; the
            network ends with the best weights.
        before_step: called with the share of the steps that is done.
        doing: what progress calls it.

    Raises:
        FitError: the loss is not finite.
        SpecError: the device can't do the schedule's precision.
    """
    check_precision(schedule, device)
    module = _Module(network, loss, schedule, groups or all_parameters(network), before_step)
    callbacks: list[Callback] = [RandomState(), StepTeller(doing, module.curve)]
    best = BestWeights(network, validate, schedule) if validate else None
    if best:
        callbacks.append(best)
    if checkpoint:
        callbacks.append(CheckpointWriter(checkpoint))
    torch.manual_seed(seed)
    with _quiet():
        trainer = _trainer(schedule, device, callbacks)
        ahead = 4 if device.startswith("cuda") else 1
        stream = Stream(batches, lambda: module.global_step, schedule.steps, ahead)
        try:
            trainer.fit(module, stream, ckpt_path=_usable(checkpoint), weights_only=True)
        except SystemExit as stopped:
            if isinstance(stopped.__context__, KeyboardInterrupt):  # Lightning's answer to Ctrl-C
                raise KeyboardInterrupt from stopped
            raise
    seconds = module.curve.seconds
    network.to(device)  # Lightning leaves it on the processor
    if best:
        best.restore()
    curve, scores = module.curve, best.scores if best else {}
    return FitResult(curve.losses, curve.terms, scores, seconds, trainer.global_step)


def accelerated(module: nn.Module, schedule: Schedule) -> Callable[..., Any]:
    """A module as training calls it: compiled, in channels-last memory, where that is asked for."""
    if schedule.channels_last:
        module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return torch.compile(module) if schedule.compile else module


def _trainer(schedule: Schedule, device: str, callbacks: list[Callback]) -> pl.Trainer:
    """One process on one device, also inside a Slurm job, which Lightning would requeue."""
    gpu = device.startswith("cuda")
    return pl.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=[int(device.partition(":")[2] or 0)] if gpu else 1,
        precision=_PRECISION[schedule.precision],
        gradient_clip_val=schedule.gradient_clip,
        max_steps=schedule.steps,
        max_epochs=-1,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        plugins=[LightningEnvironment()],
    )


class _Module(pl.LightningModule):
    """Binds a loss and a schedule to a network."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        schedule: Schedule,
        groups: Sequence[ParameterGroup],
        before_step: Callable[[float], None] | None,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.schedule = schedule
        self.groups = groups
        self.before_step = before_step
        self.curve = LossCurve(schedule)

    def training_step(self, batch: Tensors, _index: int) -> Tensor:
        """The loss of one batch."""
        if self.before_step:
            self.before_step(self.global_step / self.schedule.steps)
        found = self.loss(*batch)
        loss, parts = (total(found), told(found)) if isinstance(found, Mapping) else (found, {})
        self.curve.add(loss.detach(), self.global_step + 1, parts)
        return loss

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
        checkpoint["terms"] = (
            curve.terms,
            {name: float(part) for name, part in curve.sums.items()},
        )
        checkpoint["curve"] = (curve.losses, float(curve.total), curve.count, curve.seconds)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the loss curve."""
        curve = self.curve
        curve.terms, curve.sums = checkpoint.get("terms", ({}, {}))
        curve.losses, curve.total, curve.count, curve.earlier = checkpoint["curve"]


def _usable(checkpoint: Path | None) -> Path | None:
    """The checkpoint, unless it is missing or can't be read; then training starts again."""
    if checkpoint is None or not checkpoint.exists():
        return None
    try:
        torch.load(checkpoint, weights_only=True, map_location="cpu")
    except Exception:  # noqa: BLE001 (torn bytes may raise anything)
        checkpoint.unlink(missing_ok=True)
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
