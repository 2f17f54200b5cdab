"""SparK, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, of_recipe

from voxbench_baselines.schedules import NNSSL

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class SparK(Pretrained):
    """Masked autoencoding whose convolutions never see what is hidden; needs no labels.

    The hidden cubes are those of the coarsest map's voxels. Every layer of the encoder leaves
    them empty and every norm leaves them out, as a sparse convolution would; for convolutional
    networks alone.

    Attributes:
        ratio: share of the cubes that is hidden; 0.6 as in the paper, published 0.75.
    """

    ratio: float = of_recipe()

    card: ClassVar[BaselineCard] = BaselineCard(
        name="spark",
        strategy="self-supervised",
        licence="of the source",
        reference="Tian et al., Designing BERT for Convolutional Networks: Sparse and Hierarchical "
        "Masked Modeling, ICLR 2023",
        note="«published» is the SparK in 3D of nnssl (Wald et al., An OpenMind for 3D medical "
        "vision self-supervised learning, 2024): the network's own decoder, intensities as they "
        "are (in the paper a light decoder, and cubes normalised each by itself). Different here: "
        "cubes are the coarsest map's voxels, as in the paper (theirs of 16 voxels, which "
        "leave the coarsest maps dense), a convolution of one voxel reads the image off the "
        "features, and finer maps than the coarsest keep their widths.",
    )
    needs_labels: ClassVar[bool] = False
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings({"ratio": 0.6}),
        "published": Settings(
            {"ratio": 0.75},
            {
                **NNSSL,
                "batch": 8,
                "patch": (160, 160, 160),
                "gradient_clip": 12.0,
                "augmentation": "spatial",
            },
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.ratio < 1:
            raise ValueError(f"ratio must lie between 0 and 1, got {self.ratio}")

    @property
    def forbids(self) -> frozenset[Change]:
        """Changes of intensity: the patch is the target."""
        return frozenset({"intensity"})

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Reconstruction of the hidden voxels."""
        from voxbench_baselines.objectives.spark import SparKObjective

        return SparKObjective(backbone, len(source.channels), self.ratio)
