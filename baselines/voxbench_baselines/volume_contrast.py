"""VoCo, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, of_recipe

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class VolumeContrast(Pretrained):
    """Tell where in a patch a random crop lies; needs no labels and trains the encoder alone.

    Attributes:
        bases: base crops along each of the patch's first two axes.
        crops: random crops a patch; 4, published 2.
        crop: voxels along the sides that crops are resampled to; 0 leaves them as they are
            cut, published 64.
        width: of the projector; 256, published 2048.
        regularisation: weight of the term that pushes base crops apart.
    """

    bases: int = 4
    crops: int = of_recipe()
    crop: int = of_recipe()
    width: int = of_recipe()
    regularisation: float = 1.0

    card: ClassVar[BaselineCard] = BaselineCard(
        name="volume-contrast",
        strategy="self-supervised",
        licence="of the source",
        reference="Wu, Zhuang and Chen, VoCo: A Simple-yet-Effective Volume Contrastive Learning "
        "Framework for 3D Medical Image Analysis, CVPR 2024",
        note="The loss is that of the code that the authors released with the paper. Different "
        "here: a patch stands for the volume, which they resample to 384×384×96; the teacher "
        "begins as a copy of the student (theirs with weights of its own); brightness moves by a "
        "tenth of a crop's value range (theirs of 0…1).",
    )
    needs_labels: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    version: ClassVar[int] = 2  # 1 was a loss of its own, without a teacher
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings({"crops": 4, "crop": 0, "width": 256}),
        "published": Settings(
            {"crops": 2, "crop": 64, "width": 2048},
            {
                "steps": 250_000,
                "batch": 2,
                "patch": (384, 384, 96),
                "optimiser": "adamw",
                "learning_rate": 1e-4,
                "weight_decay": 1e-2,
                "warmup": 0.02,
                "schedule": "cosine",
                "gradient_clip": None,
                "augmentation": "none",
            },
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("bases", 2), ("crops", 1), ("crop", 0), ("width", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.regularisation < 0:
            raise ValueError(f"regularisation must not be negative, got {self.regularisation}")

    @property
    def forbids(self) -> frozenset[Change]:
        """What it does to each crop by itself."""
        return frozenset({"mirror", "intensity"})

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Prediction of the crops' positions."""
        from voxbench_baselines.objectives.volume_contrast import VolumeContrastObjective

        return VolumeContrastObjective(backbone, self)
