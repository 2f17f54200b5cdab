"""SimCLR, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, of_recipe

from voxbench_baselines.schedules import NNSSL, unfit_crop

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, Pretraining


@dataclass(frozen=True, kw_only=True)
class SimCLR(Pretrained):
    """Find the other view of a place among all of a batch; needs no labels, trains the encoder.

    Attributes:
        places: that two overlapping crops are cut at in each patch; 1, published 2.
        crop: voxels along a crop's sides; 0 takes three quarters of the patch's, published 64.
        width: of the projector; 256, published 2048.
        temperature: of the contrast.
    """

    places: int = of_recipe()
    crop: int = of_recipe()
    width: int = of_recipe()
    temperature: float = 0.5

    card: ClassVar[BaselineCard] = BaselineCard(
        name="simclr",
        strategy="self-supervised",
        licence="of the source",
        reference="Chen et al., A Simple Framework for Contrastive Learning of Visual "
        "Representations, ICML 2020",
        note="«published» is the SimCLR in 3D of nnssl (Wald et al., An OpenMind for 3D medical "
        "vision self-supervised learning, 2024). Different here: the projector's norms are over "
        "the batch, as in the paper (theirs over the features), no view loses resolution, and "
        "noise is in units of a crop's deviation.",
    )
    needs_labels: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings({"places": 1, "crop": 0, "width": 256}),
        "published": Settings(
            {"places": 2, "crop": 64, "width": 2048},
            {
                **NNSSL,
                "batch": 32,
                "patch": (192, 192, 64),
                "gradient_clip": 0.1,
                "augmentation": "none",
            },
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("places", 1), ("crop", 0), ("width", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")

    @property
    def forbids(self) -> frozenset[Change]:
        """What it does to each view by itself."""
        return frozenset({"mirror", "intensity"})

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """A single place, or crops larger than the patch."""
        if schedule.batch * self.places == 1:
            return (
                "it tells the places of a batch apart, and batch = 1 with places = 1 has no other; "
                "set pretraining.batch to 2 or more."
            )
        return unfit_crop(self.crop, schedule)

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """The contrast of two views."""
        from voxbench_baselines.objectives.simclr import SimCLRObjective

        return SimCLRObjective(backbone, self)
