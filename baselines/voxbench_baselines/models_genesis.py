"""Models Genesis, pre-trained here on the source's images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class ModelsGenesis(Pretrained):
    """Restore patches that were bent, shuffled and painted over; needs no labels.

    Attributes:
        nonlinear: probability that a patch's intensities go through a random Bézier curve.
        shuffling: probability that its voxels are shuffled within small windows.
        painting: probability that it is painted over.
        inside: share of the painted patches that are painted inside, the others outside.
        flipping: probability of a mirroring, which the target shares.
    """

    nonlinear: float = 0.9
    shuffling: float = 0.5
    painting: float = 0.9
    inside: float = 0.2
    flipping: float = 0.4

    card: ClassVar[BaselineCard] = BaselineCard(
        name="models-genesis",
        strategy="self-supervised",
        licence="of the source",
        reference="Zhou et al., Models Genesis, Medical Image Analysis 67, 2021",
    )
    needs_labels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("nonlinear", "shuffling", "painting", "inside", "flipping"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0…1, got {getattr(self, name)}")

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Restoration of the distorted patch."""
        from voxbench_baselines.objectives.models_genesis import ModelsGenesisObjective

        return ModelsGenesisObjective(backbone, len(source.channels), self)
