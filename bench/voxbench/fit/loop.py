"""The training loop: a lean Lightning run that can stop anywhere and go on byte-equal."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback
from torch import nn

from voxbench import stopping
from voxbench.data.batches import Batches
from voxbench.design.precision import check_precision
from voxbench.fit.callbacks import CheckpointWriter, RandomState, Validations
from voxbench.fit.module import LAYOUT, Counts, Loss, Module
from voxbench.fit.optim import ParameterGroup, Schedule, all_parameters
from voxbench.fit.ranks import ALONE, Ranks, Together, joined
from voxbench.fit.share import check_divisible
from voxbench.fit.stream import Stream
from voxbench.memory import keep_freed_memory, peak_memory_mb

_PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}


class FitResult(NamedTuple):
    """What a training left behind, besides the weights in the network.

    Attributes:
        losses: step → mean loss since the entry before.
        terms: what the loss tells of its terms → step → mean; see `fit.terms.told`.
        validation: step → score of `validate`, where it has one.
        seconds: in the loop, those before a stop up to the last checkpoint included.
        steps: optimiser steps taken.
        peak_memory_mb: of the device in this process; see `peak_memory_mb`.
    """

    losses: dict[int, float]
    terms: dict[str, dict[int, float]]
    validation: dict[int, float]
    seconds: float
    steps: int
    peak_memory_mb: float = 0.0

    @classmethod
    def nothing(cls, seconds: float = 0.0) -> "FitResult":
        """Of a network that is used as it is, or whose training failed after so many seconds."""
        return cls({}, {}, {}, seconds, steps=0)


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
    hopeless: Callable[[int, float], bool] | None = None,
    before_step: Callable[[float], None] | None = None,
    counts: Counts | None = None,
    ranks: Ranks = ALONE,
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
        checkpoint: written once a minute, and when the process is asked to stop, and continued
            from if it exists, by however many ranks; it is to be removed once what was trained is
            stored.
        groups: of parameters, at rates of their own; all at one rate if None.
        validate: score of the network as it is, looked at `schedule.validations` times; where the
            schedule selects the best, the network ends with the best weights.
        hopeless: whether to stop, of the number of validations so far and the last score.
        before_step: called with the share of the steps that is done.
        counts: of a loss that may be divided, see `Share`; None where parts of a batch can't be
            computed apart.
        ranks: the processes that train this together, each with its device.
        doing: what progress calls it.

    Raises:
        FitError: the loss is not finite.
        SpecError: the device can't do the schedule's precision, or the batch can't be divided as
            the schedule says.
        Stopped: the process is asked to; the checkpoint is written.
    """
    check_precision(schedule, device)
    check_divisible(network, schedule, loss=counts is not None)
    if device == "cpu":
        keep_freed_memory()
    groups = groups or all_parameters(network)
    writer = CheckpointWriter(checkpoint) if ranks.first and checkpoint else None
    watching = None
    if ranks.first and validate:
        watching = Validations(network, validate, schedule, hopeless, writer)
    callbacks: list[Callback] = [own for own in (RandomState(), writer, watching) if own]
    due = watching.due if watching else frozenset[int]()
    module = Module(network, loss, schedule, groups, before_step, due, counts, ranks, doing)
    torch.manual_seed(seed)
    with _quiet(), joined(ranks, device):
        trainer = _trainer(schedule, device, callbacks, ranks)
        gpu = device.startswith("cuda")
        slots, ahead = ranks.slots(schedule.batch), 4 if gpu else 1
        stream = Stream(batches, lambda: module.global_step, schedule.steps, ahead, slots, gpu)
        try:
            with (
                stopping.deferred() if checkpoint else nullcontext(),
                closing(iter(stream)) as left,
            ):
                trainer.fit(module, repeat(left), ckpt_path=_usable(checkpoint), weights_only=True)
        except SystemExit as ended:
            if isinstance(ended.__context__, KeyboardInterrupt):  # Lightning's answer to Ctrl-C
                raise KeyboardInterrupt from ended
            if stopping.asked():  # and to a signal
                raise stopping.Stopped from ended
            raise
    seconds = module.curve.seconds
    network.to(device)  # Lightning leaves it on the processor
    if watching:
        watching.look(trainer)  # where training had ended before it was stopped in the last
        watching.restore()
    curve, scores = module.curve, watching.scores if watching else {}
    peak = peak_memory_mb(device)
    return FitResult(curve.losses, curve.terms, scores, seconds, trainer.global_step, peak)


def accelerated(module: nn.Module, schedule: Schedule) -> Callable[..., Any]:
    """A module as training calls it: compiled, in channels-last memory, where that is asked for."""
    if schedule.channels_last:
        module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return torch.compile(module) if schedule.compile else module


def _trainer(
    schedule: Schedule, device: str, callbacks: list[Callback], ranks: Ranks
) -> pl.Trainer:
    """This process on its device, also inside a Slurm job, which Lightning would requeue."""
    gpu, alone = device.startswith("cuda"), ranks.count == 1
    return pl.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=[int(device.partition(":")[2] or 0)] if gpu and alone else ranks.count,
        strategy="auto" if alone else Together(ranks),
        precision=_PRECISION[schedule.precision],
        max_steps=schedule.steps,
        max_epochs=-1,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        plugins=[LightningEnvironment()] if alone else None,
    )


def _usable(checkpoint: Path | None) -> Path | None:
    """The checkpoint, unless it is missing or can't be used; then training starts again."""
    if checkpoint is None or not checkpoint.exists():
        return None
    try:
        layout = torch.load(checkpoint, weights_only=True, map_location="cpu").get("layout")
    except Exception:  # noqa: BLE001 (torn bytes may raise anything)
        layout = None
    return checkpoint if layout == LAYOUT else None


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
