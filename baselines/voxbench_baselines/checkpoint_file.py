"""Weights that `voxbench pretrain` wrote, here or elsewhere."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Published


@dataclass(frozen=True, kw_only=True)
class CheckpointFile(Published):
    """A file that carries its own card, which says network, strategy, data and licence.

    Its images are prepared as the task's are, as those of weights made within a sweep.

    Attributes:
        weights: the file, `.safetensors`; it has no default.
        architecture: read from its card.
        size: read from its card.
    """

    architecture: str = dataclasses.field(init=False)
    size: str = dataclasses.field(init=False)

    card: ClassVar[BaselineCard] = BaselineCard(
        name="checkpoint-file",
        strategy="self-supervised",
        licence="on the file's card",
        reference="on the file's card",
        left_over=("objective.*",),  # what was trained beside the backbone
    )

    def __post_init__(self) -> None:
        """Take over the file's card.

        Raises:
            ValueError: no file is named.
            WeightsError: the file is missing or carries no card.
        """
        if self.weights is None:
            raise ValueError("needs weights, a file that `voxbench pretrain` wrote")
        from voxbench.toolkit import read_card

        told = read_card(self.file())
        facts = {
            "strategy": told.strategy,
            "pretraining_data": told.corpora,
            "volumes": told.volumes,
            "gpu_hours": told.gpu_hours,
            "licence": told.licence,
            "reference": told.reference,
            "channels": told.in_channels,
        }
        for name, value in (
            ("architecture", told.architecture),
            ("size", told.size),
            ("card", type(self).card.model_copy(update=facts)),
        ):
            object.__setattr__(self, name, value)
