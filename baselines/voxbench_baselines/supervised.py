"""Supervised pre-training on many structures, done here on the source's masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard, added
from voxbench.errors import SpecError

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, PreparedCase


@dataclass(frozen=True, kw_only=True)
class Supervised(Pretrained):
    """SuPreM's recipe: a sigmoid a structure, Dice plus cross-entropy, partial labels allowed.

    Attributes:
        structures: how many of the source's classes are used, fewer being a subset of more;
            None takes all.
        label_noise: probability that a structure's mask in a case is eroded, dilated, shifted
            or missing; see `voxbench_baselines.annotation`.
    """

    structures: int | None = added(None)
    label_noise: float = added(0.0)

    card: ClassVar[BaselineCard] = BaselineCard(
        name="supervised",
        strategy="supervised",
        licence="of the source",
        reference="Li, Yuille and Zhou, How Well Do Supervised 3D Models Transfer, ICLR 2024",
    )
    needs_labels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.structures is not None and self.structures < 1:
            raise ValueError(f"structures must be at least 1, got {self.structures}")
        if not 0 <= self.label_noise < 1:
            raise ValueError(f"label_noise must lie in [0, 1), got {self.label_noise}")

    def annotated(
        self, cases: "Sequence[PreparedCase]", source: TaskCard, seed: int
    ) -> "Sequence[PreparedCase]":
        """The cases with the chosen structures and the wrong masks.

        Raises:
            SpecError: the source has fewer structures.
        """
        from voxbench_baselines.annotation import Reannotated, chosen_structures

        classes = tuple(source.parts)
        count = len(classes) if self.structures is None else self.structures
        if count > len(classes):
            raise SpecError(
                f"supervised: structures = {count}, but source {source.name!r} has "
                f"{len(classes)} classes; ask for 1 to {len(classes)}."
            )
        if count == len(classes) and not self.label_noise:
            return cases
        given = (classes, chosen_structures(classes, count, seed), self.label_noise, seed)
        return [Reannotated.of(case, *given) for case in cases]

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Segmentation of the source's structures."""
        from voxbench_baselines.objectives.structures import StructuresObjective

        return StructuresObjective(backbone, len(source.parts))
