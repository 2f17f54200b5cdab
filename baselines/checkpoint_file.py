"""Weights that `voxbench pretrain` wrote, here or elsewhere."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.api import BaselineCard, Published, TaskCard

if TYPE_CHECKING:
    from torch import Tensor

    from bench.model.backbones import Backbone


@dataclass(frozen=True, kw_only=True)
class CheckpointFile(Published):
    """A file that carries its own card, which says network, strategy, data and licence.

    Its images are prepared as the task's are, as those of weights made within a sweep.

    Attributes:
        weights: the file, `.safetensors`.
        architecture: read from its card.
        size: read from its card.
        in_channels: read from its card.
    """

    weights: str
    architecture: str = dataclasses.field(init=False)
    size: str = dataclasses.field(init=False)
    in_channels: int = dataclasses.field(init=False)

    card: ClassVar[BaselineCard] = BaselineCard(
        name="checkpoint-file",
        strategy="self-supervised",
        licence="on the file's card",
        reference="on the file's card",
    )

    def __post_init__(self) -> None:
        """Take over the file's card.

        Raises:
            WeightsError: the file is missing or carries none.
        """
        from bench.pretrain.card import read_card

        told = read_card(self.file())
        facts = {
            "strategy": told.strategy,
            "pretraining_data": told.corpora,
            "licence": told.licence,
            "reference": told.reference,
        }
        for name, value in (
            ("architecture", told.architecture),
            ("size", told.size),
            ("card", type(self).card.model_copy(update=facts)),
            ("in_channels", told.in_channels),
        ):
            object.__setattr__(self, name, value)

    def file(self) -> Path:
        """The file that the user brings."""
        return Path(self.weights).expanduser()

    def unfit(self, task: TaskCard) -> str | None:
        """A reason where the file was made from another number of channels."""
        expected, given = self.in_channels, len(task.channels)
        if expected != given:
            return f"its weights expect {expected} channel(s), the task has {given}"
        return None

    def translate(
        self,
        published: Mapping[str, "Tensor"],
        backbone: "Backbone",  # noqa: ARG002
    ) -> Mapping[str, "Tensor"]:
        """As they are: the file names them as the backbone does."""
        return published
