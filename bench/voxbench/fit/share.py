"""Which part of a step's batch is computed at once: on one of several devices, or bit by bit."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from voxbench.design.recipe import Pretraining, Recipe
from voxbench.errors import SpecError
from voxbench.model.backbones.norm import SmallBatchNorm3d


@dataclass(frozen=True)
class Share:
    """One of the equal parts of a batch; the mean of their losses is the loss of the batch.

    Attributes:
        index: which.
        parts: how many there are.
        counts: what means over the batch are divided by, as the mean of the parts' own counts;
            None where the part is the batch.
    """

    index: int = 0
    parts: int = 1
    counts: Tensor | None = None

    def rows(self, draw: Callable[[int], Tensor], count: int) -> Tensor:
        """What is drawn at random for each patch, the same whatever the parts.

        All parts begin a step with the same state of torch's generator.

        Args:
            draw: so many rows, of the whole batch.
            count: patches of this part.
        """
        return draw(count * self.parts)[self.index * count :][:count]


WHOLE = Share()


def check_divisible(network: nn.Module, schedule: Recipe | Pretraining, *, loss: bool) -> None:
    """Refuse to divide a batch where the result would depend on the parts.

    The statistics of a batch norm would be those of a part, and dropout would hide other things.

    Args:
        network: with all that is trained beside it.
        schedule: that may divide its batch.
        loss: whether that is the mean of its parts'.

    Raises:
        SpecError: the batch is divided, and may not be.
    """
    if schedule.parts == 1:
        return
    told = f"devices {schedule.devices}, micro_batch {schedule.micro_batch}"
    if not loss:
        raise SpecError(f"{told}: the loss looks at the whole batch at once; leave both out.")
    for name, layer in network.named_modules():
        reason = _undividable(layer)
        if reason:
            raise SpecError(
                f"{told}: {name} ({type(layer).__name__}) {reason}, so that the result would "
                "depend on them; run this arm without both: its cells stay comparable."
            )


def _undividable(layer: nn.Module) -> str | None:
    if isinstance(layer, _DropoutNd):
        return "draws at random" if layer.p > 0 else None
    frozen = isinstance(layer, SmallBatchNorm3d) and not layer.weight.requires_grad
    return "normalises by the batch" if isinstance(layer, _BatchNorm) and not frozen else None


def random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Of torch's generators: the processor's, and a GPU's."""
    gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), gpu


def set_random_state(state: tuple[Tensor, Tensor | None], device: torch.device) -> None:
    """Go back to what `random_state` gave."""
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
