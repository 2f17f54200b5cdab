"""Swin UNETR's self-supervised pre-training, done here on the source's images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class SwinUnetrSSL(Pretrained):
    """In-painting, rotation and contrast together, on any network; needs no labels.

    Its authors' network is `architecture = "swin-unetr"`; `"swin-unetr-distinct"` is the same
    without the slip in its patch merging.

    Attributes:
        cutout: share of a view that is hidden.
        temperature: of the contrast.
    """

    cutout: float = 0.3
    temperature: float = 0.5

    card: ClassVar[BaselineCard] = BaselineCard(
        name="swin-unetr-ssl",
        strategy="self-supervised",
        licence="of the source",
        reference="Tang et al., Self-Supervised Pre-Training of Swin Transformers for 3D Medical "
        "Image Analysis, CVPR 2022",
    )
    needs_labels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.cutout < 1:
            raise ValueError(f"cutout must lie between 0 and 1, got {self.cutout}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """The sum of the three losses."""
        from voxbench_baselines.objectives.swin_unetr_ssl import SwinUnetrSSLObjective

        return SwinUnetrSSLObjective(backbone, len(source.channels), self.cutout, self.temperature)
