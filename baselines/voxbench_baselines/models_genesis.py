"""Models Genesis, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard

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
        note="The probabilities are the published ones in every recipe; «published» adds the "
        "schedule. Different here: windows of shuffled voxels lie side by side (the authors' "
        "10,000 overlap), curves and noise span the value range of each patch (theirs 0…1), the "
        "output is linear (theirs a sigmoid), the learning rate stays (theirs is halved "
        "every 40 epochs until the validation loss stops falling), the momentum is Nesterov's.",
    )
    needs_labels: ClassVar[bool] = False
    version: ClassVar[int] = 2  # 1 changed the intensities of the target
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings(),
        "published": Settings(
            schedule={
                "batch": 6,
                "patch": (64, 64, 32),
                "optimiser": "sgd",
                "momentum": 0.9,
                "learning_rate": 1.0,
                "weight_decay": 0.0,
                "warmup": 0.0,
                "schedule": "constant",
                "gradient_clip": None,
                "augmentation": "none",
            }
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("nonlinear", "shuffling", "painting", "inside", "flipping"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0…1, got {getattr(self, name)}")

    @property
    def forbids(self) -> frozenset[Change]:
        """Changes of intensity, as the patch is the target; it brings mirroring itself."""
        return frozenset({"intensity", "mirror"})

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Restoration of the distorted patch."""
        from voxbench_baselines.objectives.models_genesis import ModelsGenesisObjective

        return ModelsGenesisObjective(backbone, len(source.channels), self)
