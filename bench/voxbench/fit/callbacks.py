"""What happens beside the steps: checkpoints that can be continued, and validation."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from voxbench import stopping
from voxbench.files import temporary_beside
from voxbench.fit.optim import Schedule

CHECKPOINT_SECONDS = 60.0  # of wall clock between checkpoints
FEWEST_STEPS = 25  # between validations that select nothing


class RandomState(Callback):
    """Carries torch's generators over a stop."""

    def __init__(self) -> None:
        self.saved: dict[str, Any] | None = None

    def on_save_checkpoint(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["random"] = {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        }

    def on_load_checkpoint(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.saved = checkpoint["random"]

    def on_train_start(self, _trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        if self.saved:
            torch.set_rng_state(self.saved["cpu"])
            if self.saved["cuda"] is not None and torch.cuda.is_available():
                torch.cuda.set_rng_state(self.saved["cuda"])


class CheckpointWriter(Callback):
    """Writes the whole state now and then, and before it stops where that is asked for.

    What comes behind a step, its validation, it writes as still to be done.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if stopping.asked():
            self.write(trainer)
            raise stopping.Stopped
        if time.monotonic() - self.last >= CHECKPOINT_SECONDS:
            self.write(trainer)

    def write(self, trainer: pl.Trainer) -> None:
        """Write it, or leave the one before as it is."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(self.path)
        try:
            trainer.save_checkpoint(temporary)
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self.last = time.monotonic()


class Validations(Callback):
    """Validates now and then, and keeps the best weights where the schedule selects them.

    Between validations that select nothing lie at least 25 steps, and one follows the last step.
    Training ends where `hopeless`, told how many there were and the last score, says so. One that
    is stopped is made anew by the training that goes on, from what `writer` then writes.
    """

    def __init__(
        self,
        network: nn.Module,
        validate: Callable[[], float],
        schedule: Schedule,
        hopeless: Callable[[int, float], bool] | None = None,
        writer: CheckpointWriter | None = None,
    ) -> None:
        self.network = network
        self.validate = validate
        self.hopeless = hopeless
        self.writer = writer
        self.selects = getattr(schedule, "selection", "last") == "best"
        fewest = 1 if self.selects else FEWEST_STEPS
        every = max(fewest, schedule.steps // getattr(schedule, "validations", 1))
        last = () if self.selects else (schedule.steps,)
        self.due = frozenset((*range(every, schedule.steps + 1, every), *last))
        self.seen = 0
        self.scores: dict[int, float] = {}
        self.weights: dict[str, Tensor] = {}

    def on_train_start(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        self.look(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        try:
            self.look(trainer)
        except stopping.Stopped:
            if self.writer:
                self.writer.write(trainer)
            raise

    def look(self, trainer: pl.Trainer) -> None:
        """Validate after this step, if that is due and was not done."""
        step = trainer.global_step
        if step == self.seen or step not in self.due:
            return
        self.network.eval()
        with stopping.at_once():
            score = self.validate()
        self.network.train()
        self.seen = step
        if self.selects and (not self.scores or score > max(self.scores.values())):
            self.weights = copy.deepcopy(self.network.state_dict())
        if math.isnan(score):
            return
        self.scores[step] = score
        if self.hopeless and self.hopeless(len(self.scores), score):
            trainer.should_stop = True

    def restore(self) -> None:
        """Put the best weights back, where they are selected."""
        if self.selects:
            self.network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"scores": self.scores, "weights": self.weights, "seen": self.seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.scores, self.weights = state_dict["scores"], state_dict["weights"]
        self.seen = state_dict["seen"]
