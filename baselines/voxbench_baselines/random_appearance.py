"""Supervision on images that are drawn anew from label maps, made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class RandomAppearance(Pretrained):
    """Segment a source's label maps in images of random contrast; its images are not used.

    Each class of a patch gets a random mean and deviation, so that form alone tells what it is.
    The usual source is `random-shapes`: then neither scans nor annotation are needed.

    Attributes:
        bias: how far a smooth field may scale intensities: by exp(±bias).
    """

    source: str = "random-shapes"
    bias: float = 0.5

    card: ClassVar[BaselineCard] = BaselineCard(
        name="random-appearance",
        strategy="supervised",
        licence="of the source",
        reference="Billot et al., SynthSeg, Medical Image Analysis 86, 2023; Dey et al., AnyStar, "
        "WACV 2024",
        note="«published» is SynthSeg's schedule. Different here: a sigmoid a structure with Dice "
        "and cross-entropy, as of `supervised` (SynthSeg's softmax Dice after an epoch of "
        "squared errors), rotation, scaling and mirroring are the shared ones without elastic "
        "deformation, noise, blur, contrast and gamma nnU-Net's, no resolution is simulated, "
        "patches end with mean 0 and deviation 1 (SynthSeg's in 0…1), the optimiser is AdamW "
        "(theirs Adam).",
    )
    needs_labels: ClassVar[bool] = True
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings(),
        "published": Settings(
            schedule={
                "steps": 500_000,
                "batch": 1,
                "patch": (96, 96, 96),
                "optimiser": "adamw",
                "learning_rate": 1e-4,
                "weight_decay": 0.0,
                "warmup": 0.0,
                "schedule": "constant",
                "augmentation": "spatial",
            }
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bias < 0:
            raise ValueError(f"bias must not be negative, got {self.bias}")

    @property
    def forbids(self) -> frozenset[Change]:
        """Changes of intensity, which the drawn images bring."""
        return frozenset({"intensity"})

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Segmentation of drawn images."""
        from voxbench_baselines.objectives.random_appearance import RandomAppearanceObjective

        return RandomAppearanceObjective(backbone, len(source.parts), self.bias)
