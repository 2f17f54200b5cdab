"""Masked autoencoding, pre-trained here on the source's images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, of_recipe

from voxbench_baselines.schedules import NNSSL

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, Pretraining


@dataclass(frozen=True, kw_only=True)
class MaskedAutoencoder(Pretrained):
    """Hide random cubes of a patch and predict their intensities; needs no labels.

    Attributes:
        ratio: share of the cubes that is hidden; 0.6, published 0.75.
        cube: voxels along a cube's side; 8, published 16. Where voxels are no cubes themselves, one
            a side, in a list of such values: `[[8, 8, 2]]`.
    """

    ratio: float = of_recipe()
    cube: int | tuple[int, int, int] = of_recipe()

    card: ClassVar[BaselineCard] = BaselineCard(
        name="masked-autoencoder",
        strategy="self-supervised",
        licence="of the source",
        reference="He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022",
        note="«published» is the MAE for convolutions of nnssl (Wald et al., An OpenMind for 3D "
        "medical vision self-supervised learning, 2024). There hidden voxels are 0 and the network "
        "ends in the image; here they have a learned value that begins at 0, as in SimMIM, and a "
        "convolution of one voxel reads the image off the features.",
    )
    needs_labels: ClassVar[bool] = False
    divisible: ClassVar[bool] = True
    version: ClassVar[int] = 2  # 1 changed the intensities of the target
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings({"ratio": 0.6, "cube": 8}),
        "published": Settings(
            {"ratio": 0.75, "cube": 16},
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
        if len(sides(self.cube)) != 3 or min(sides(self.cube)) < 1:
            raise ValueError(f"cube must be a number of voxels from 1, or three, got {self.cube}")

    @property
    def forbids(self) -> frozenset[Change]:
        """Changes of intensity: the patch is the target."""
        return frozenset({"intensity"})

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """A patch of so few cubes that all are hidden."""
        counts, hidden = count_cubes(schedule.patch, self.ratio, self.cube)
        if hidden < prod(counts):
            return None
        return (
            f"cubes of {self.cube} voxels cut a patch of {schedule.patch} into {prod(counts)}, and "
            f"ratio = {self.ratio} hides {hidden}: nothing is left to predict from; make `cube` "
            "smaller than pretraining.patch."
        )

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Reconstruction of the hidden voxels."""
        from voxbench_baselines.objectives.masked import MaskedAutoencoderObjective

        return MaskedAutoencoderObjective(backbone, len(source.channels), self.ratio, self.cube)


Cube = int | tuple[int, int, int]


def sides(cube: Cube) -> tuple[int, int, int]:
    """Voxels of a cube along each axis."""
    return (cube, cube, cube) if isinstance(cube, int) else cube


def count_cubes(shape: Sequence[int], ratio: float, cube: Cube) -> tuple[list[int], int]:
    """Cubes along each axis of a patch, and how many of all are hidden."""
    counts = [ceil(size / side) for size, side in zip(shape, sides(cube), strict=True)]
    return counts, max(1, round(ratio * prod(counts)))
