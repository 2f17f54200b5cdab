"""Masked autoencoding, pre-trained here on the source's images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class MaskedAutoencoder(Pretrained):
    """Hide random cubes of a patch and predict their intensities; needs no labels.

    Attributes:
        ratio: share of the cubes that is hidden.
        cube: voxels along a cube's side.
    """

    ratio: float = 0.6
    cube: int = 8

    card: ClassVar[BaselineCard] = BaselineCard(
        name="masked-autoencoder",
        strategy="self-supervised",
        licence="of the source",
        reference="He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022",
    )
    needs_labels: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.ratio < 1:
            raise ValueError(f"ratio must lie between 0 and 1, got {self.ratio}")
        if self.cube < 1:
            raise ValueError(f"cube must be at least 1 voxel, got {self.cube}")

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Reconstruction of the hidden voxels."""
        from voxbench_baselines.objectives.masked import MaskedAutoencoderObjective

        return MaskedAutoencoderObjective(backbone, len(source.channels), self.ratio, self.cube)
