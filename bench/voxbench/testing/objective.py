"""The loss that weights made here were trained for, as a probe of a file with its card.

Its objective is built anew, with the head that the file keeps. The loss is the mean over
several draws of what the objective draws at random (hidden cubes, rotations), the same draws for
every network and contract. Another window or grid changes what is to be restored, and an image that
is cut off or smoother is easy to restore; so these are tried where labels are the target alone,
else the same voxels are turned. What is looked at has the sides of a training patch: more would
show a thin volume between slabs of nothing that no training patch has.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, NamedTuple

from voxbench.api import Preprocessing, Pretrained, Task
from voxbench.design.cell import Ref
from voxbench.errors import PluginError, WeightsError
from voxbench.plugins import find_baseline
from voxbench.testing.contract import (
    TIE,
    Box,
    Cube,
    contract_losses,
    other_axes,
    other_windows,
    turned_losses,
)
from voxbench.testing.runner import Skip

if TYPE_CHECKING:
    from torch import Tensor

    from voxbench.model.backbones import Backbone
    from voxbench.pretrain.objective import Objective

_DRAWS = 8
_ERRORS = 5.0
"""Standard errors of a loss that decide nothing: a draw hits other parts of a turned image."""


class Probe(NamedTuple):
    """Weights that were made here, and what to take their loss on.

    Attributes:
        maker: the baseline that made them.
        contract: how their images were prepared.
        patch: voxels that it was trained on at once, and is probed on.
        task: whose training cases are looked at.
        head: what the objective trained beside the backbone.
    """

    maker: Pretrained
    contract: Preprocessing
    patch: Box
    task: Task
    head: "Mapping[str, Tensor]"

    @classmethod
    def of(cls, path: Path, published: "Mapping[str, Tensor]", task: Task | None) -> "Probe":
        """The probe for a file.

        Raises:
            Skip: it carries no card or no head, or the task can't serve.
        """
        from voxbench.pretrain.card import read_card
        from voxbench.pretrain.head import split_head

        try:
            card = read_card(path)
        except WeightsError:
            raise Skip("the file is not one that `voxbench pretrain` wrote") from None
        head = split_head(published)[1]
        if not head:
            raise Skip(
                "it keeps no head of its objective: nothing was trained for it (a negative "
                "control), or an earlier voxbench wrote it; `voxbench pretrain` adds one"
            )
        try:
            maker = find_baseline(Ref.of(card.name, card.axes))
        except PluginError as error:
            raise Skip(f"who made it is not installed: {error}") from None
        assert isinstance(maker, Pretrained)  # noqa: S101 (its card was written for one)
        if maker.needs_labels and len({*maker.source.split("+")}) > 1:
            raise Skip(f"its labels are those of several data sets, {maker.source}")
        if task is None or (maker.needs_labels and task.card.name != card.source):
            raise Skip(f"give its source to probe it on: voxbench check -b NAME -t {card.source}")
        if len(task.card.channels) != card.in_channels:
            raise Skip(f"its weights expect {card.in_channels} channel(s)")
        if card.preprocessing is None:
            raise Skip("the data sets of its source were prepared each by its own rules")
        contract = card.preprocessing.on(task.card.modalities)
        return cls(maker, contract, card.pretraining.patch, task, head)

    def loss(self, backbone: "Backbone", *, fresh: bool = False) -> "OwnLoss":
        """The objective's loss with a backbone, and with the kept head unless `fresh`."""
        from voxbench.pretrain.head import put_back

        objective = self.maker.objective(backbone, self.task.card).eval()
        if not fresh:
            put_back(objective, backbone, self.head)
        return OwnLoss(objective)

    def on_contract(self, loss: "OwnLoss") -> float:
        """A loss on images as they were in training."""
        return contract_losses(self.task, self.contract, {}, loss, self.patch)["declared"]

    def on_others(self, loss: "OwnLoss") -> dict[str, float]:
        """A loss on images as they were in training, and otherwise."""
        if not self.maker.needs_labels:
            return turned_losses(self.task, self.contract, loss, self.patch)
        wrong = other_axes(self.contract) | other_windows(self.contract)
        return contract_losses(self.task, self.contract, wrong, loss, self.patch)


class OwnLoss:
    """An objective's loss on cubes.

    Attributes:
        tie: relative difference between two losses that the draws alone may make, so far.
    """

    def __init__(self, objective: "Objective") -> None:
        self.objective = objective
        self.tie = TIE

    def __call__(self, cubes: Sequence[Cube]) -> float:
        """The mean over the draws; one will do where nothing is drawn."""
        import torch

        from voxbench.fit.terms import total

        parts = zip(*((one.image, one.label, one.labelled) for one in cubes), strict=True)
        batch = [torch.cat(part) for part in parts]
        draws: list[float] = []
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            while len(draws) < _DRAWS and (len(draws) < 2 or draws[0] != draws[1]):
                draws.append(float(total(self.objective(*batch))))
        if len(draws) == _DRAWS:
            error = stdev(draws) / _DRAWS**0.5
            self.tie = max(self.tie, _ERRORS * error / abs(mean(draws)))
        return mean(draws)
