"""Supervised pre-training on many structures, done here on the source's masks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from torch import nn

    from bench.model.backbones import Backbone


@dataclass(frozen=True, kw_only=True)
class Supervised(Pretrained):
    """SuPreM's recipe: a sigmoid a structure, Dice plus cross-entropy, partial labels allowed."""

    card: ClassVar[BaselineCard] = BaselineCard(
        name="supervised",
        strategy="supervised",
        licence="of the source",
        reference="Li, Yuille and Zhou, How Well Do Supervised 3D Models Transfer, ICLR 2024",
    )
    needs_labels: ClassVar[bool] = True

    def objective(self, backbone: "Backbone", source: TaskCard) -> "nn.Module":
        """Segmentation of the source's structures."""
        from bench.pretrain.objectives.structures import Structures

        return Structures(backbone, len(source.classes))
