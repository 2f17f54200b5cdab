"""Supervised pre-training on many structures, done here on the source's masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, added
from voxbench.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor, nn
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
        note="«published» brings SuPreM's augmentation, turns by 90° and changes of brightness, in "
        "place of the shared one. Different here: one convolution gives all structures (SuPreM's "
        "are controlled by embeddings of their names), the Dice is that of the whole patch (its "
        "code averages that of the slices along the first axis), structures that were not "
        "annotated in a case are left out, brightness moves by a tenth of a patch's value "
        "range (theirs of 0…1).",
    )
    needs_labels: ClassVar[bool] = True
    divisible: ClassVar[bool] = True
    version: ClassVar[int] = 2  # 1 smoothed the Dice and counted absent structures
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings(),
        "published": Settings(
            schedule={
                "batch": 4,
                "patch": (96, 96, 96),
                "optimiser": "adamw",
                "learning_rate": 1e-4,
                "weight_decay": 1e-5,
                "warmup": 0.025,
                "schedule": "cosine",
                "gradient_clip": None,
            }
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.structures is not None and self.structures < 1:
            raise ValueError(f"structures must be at least 1, got {self.structures}")
        if not 0 <= self.label_noise < 1:
            raise ValueError(f"label_noise must lie in [0, 1), got {self.label_noise}")

    @property
    def forbids(self) -> frozenset[Change]:
        """All, where SuPreM's own is asked for."""
        own: frozenset[Change] = frozenset({"mirror", "rotation", "scaling", "intensity"})
        return own if self.recipe == "published" else frozenset()

    def annotated(
        self, cases: "Sequence[PreparedCase]", source: TaskCard, seed: int
    ) -> "Sequence[PreparedCase]":
        """The cases with the chosen structures and the wrong masks.

        Raises:
            SpecError: the source has fewer structures.
        """
        from voxbench_baselines.annotation import Reannotated

        classes, used = tuple(source.parts), self._used(source, seed)
        if len(used) == len(classes) and not self.label_noise:
            return cases
        given = (classes, used, self.label_noise, seed)
        return [Reannotated.of(case, *given) for case in cases]

    def _used(self, source: TaskCard, seed: int) -> frozenset[str]:
        from voxbench_baselines.annotation import chosen_structures

        count = len(source.parts) if self.structures is None else self.structures
        if count > len(source.parts):
            raise SpecError(
                f"supervised: structures = {count}, but source {source.name!r} has "
                f"{len(source.parts)} classes; ask for 1 to {len(source.parts)}."
            )
        return chosen_structures(source.parts, count, seed)

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Segmentation of the source's structures."""
        from voxbench_baselines.objectives.structures import StructuresObjective

        augments = self.recipe == "published"
        return StructuresObjective(backbone, len(source.parts), augments)

    def outputs(self, source: TaskCard, seed: int) -> tuple[str, ...]:
        """The structures that were trained on.

        Raises:
            SpecError: the source has fewer.
        """
        used = self._used(source, seed)
        return tuple(name for name in source.parts if name in used)

    def head(self, trained: "Mapping[str, Tensor]", source: TaskCard, seed: int) -> "nn.Module":
        """A sigmoid a structure."""
        from voxbench.toolkit import ConvolutionHead

        used = self._used(source, seed)
        rows = [row for row, name in enumerate(source.parts) if name in used]
        return ConvolutionHead(trained["head.weight"][rows], trained["head.bias"][rows])
