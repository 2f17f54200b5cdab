"""VoCo, pre-trained here on the source's images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class VolumeContrast(Pretrained):
    """Tell where in a patch a random crop lies; needs no labels and trains the encoder alone.

    Attributes:
        crops: random crops a patch.
        regularisation: weight of the term that pushes base crops apart.
    """

    crops: int = 4
    regularisation: float = 1.0

    card: ClassVar[BaselineCard] = BaselineCard(
        name="volume-contrast",
        strategy="self-supervised",
        licence="of the source",
        reference="Wu, Zhuang and Chen, VoCo: A Simple-yet-Effective Volume Contrastive Learning "
        "Framework for 3D Medical Image Analysis, CVPR 2024",
    )
    needs_labels: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]] = ("encoder",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crops < 1:
            raise ValueError(f"crops must be at least 1, got {self.crops}")
        if self.regularisation < 0:
            raise ValueError(f"regularisation must not be negative, got {self.regularisation}")

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Prediction of the crops' positions."""
        from voxbench_baselines.objectives.volume_contrast import VolumeContrastObjective

        return VolumeContrastObjective(backbone, self.crops, self.regularisation)
