"""Volume Fusion, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, Settings, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, Pretraining


@dataclass(frozen=True, kw_only=True)
class VolumeFusion(Pretrained):
    """Segment how much of each voxel comes from another patch; needs no labels, trains the decoder.

    Attributes:
        coefficients: shares other than 0 that a box may be mixed in with: 1/4, 1/2, 3/4 and 1
            of 4. With 0 they are the classes that are told apart.
    """

    coefficients: int = 4

    card: ClassVar[BaselineCard] = BaselineCard(
        name="volume-fusion",
        strategy="self-supervised",
        licence="of the source",
        reference="Wang et al., MIS-FM: 3D Medical Image Segmentation using Foundation Models "
        "Pretrained on a Large-Scale Unannotated Dataset, 2023 (arXiv:2306.16925)",
        note="«published» is the schedule for the authors' 1,000 volumes. Different here: each "
        "patch of a batch is the foreground of one picture and the background of another (theirs "
        "of one alone), the sides of boxes are a sixteenth to five eighths of the patch's (theirs "
        "8 to 40 and 8 to 80 voxels of 64×128×128), the augmentation is the shared one, the "
        "optimiser AdamW (theirs Adam), and the learning rate falls along a cosine (theirs is "
        "halved every 20,000 steps).",
    )
    needs_labels: ClassVar[bool] = False
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings(),
        "published": Settings(
            schedule={
                "steps": 100_000,
                "batch": 4,
                "patch": (64, 128, 128),
                "optimiser": "adamw",
                "learning_rate": 1e-3,
                "weight_decay": 1e-5,
                "warmup": 0.0,
                "schedule": "cosine",
            }
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coefficients < 1:
            raise ValueError(f"coefficients must be at least 1, got {self.coefficients}")

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """A single patch: there is no other to mix with."""
        if schedule.batch > 1:
            return None
        return "it mixes the patches of a batch, and batch = 1 has one; set pretraining.batch to 2."

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Segmentation of the shares."""
        from voxbench_baselines.objectives.volume_fusion import VolumeFusionObjective

        return VolumeFusionObjective(backbone, self.coefficients)
