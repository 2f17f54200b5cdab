"""MoCo v2, pre-trained here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard, of_recipe

from voxbench_baselines.schedules import unfit_crop

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, Pretraining


@dataclass(frozen=True, kw_only=True)
class MoCo(Pretrained):
    """Find a teacher's vector of the other view among those of earlier patches; needs no labels.

    The teacher follows the student as a moving average. The encoder alone is trained.

    Attributes:
        queue: earlier vectors that are kept; 64, published 65,536.
        momentum: share of itself that the teacher keeps in a step.
        width: of the projector; 256, published 2048.
        temperature: of the contrast.
        crop: voxels along a view's sides; 0 takes three quarters of the patch's.
    """

    queue: int = of_recipe()
    momentum: float = 0.999
    width: int = of_recipe()
    temperature: float = 0.2
    crop: int = 0

    card: ClassVar[BaselineCard] = BaselineCard(
        name="moco",
        strategy="self-supervised",
        licence="of the source",
        reference="He et al., Momentum Contrast for Unsupervised Visual Representation Learning, "
        "CVPR 2020; Chen et al., Improved Baselines with Momentum Contrastive Learning, 2020 "
        "(arXiv:2003.04297)",
        note="«published» is the authors' for photographs, without steps and patch. Different "
        "here: views are two overlapping crops as nnssl's SimCLR makes them, vectors are read off "
        "mean and maximum of every map (theirs off the mean of the coarsest, which instance norms "
        "make nearly the same for every patch), the queue begins empty "
        "(theirs with random vectors), the other patches of a batch count with it, and batches "
        "are not shuffled, so that norms over the batch may tell positives from the queue.",
    )
    needs_labels: ClassVar[bool] = False
    version: ClassVar[int] = 2  # 1 read the coarsest map alone
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings({"queue": 64, "width": 256}),
        "published": Settings(
            {"queue": 65_536, "width": 2048},
            {
                "batch": 256,
                "optimiser": "sgd",
                "momentum": 0.9,
                "learning_rate": 0.03,
                "weight_decay": 1e-4,
                "warmup": 0.0,
                "schedule": "cosine",
                "augmentation": "none",
            },
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("queue", 1), ("width", 1), ("crop", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")

    @property
    def forbids(self) -> frozenset[Change]:
        """What it does to each view by itself."""
        return frozenset({"mirror", "intensity"})

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """A queue that can't hold a batch, or crops larger than the patch."""
        if self.queue < schedule.batch:
            return (
                f"queue = {self.queue} can't hold a batch of {schedule.batch}; set queue to that "
                "or more, or a smaller pretraining.batch."
            )
        return unfit_crop(self.crop, schedule)

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """The contrast with the queue."""
        from voxbench_baselines.objectives.moco import MoCoObjective

        return MoCoObjective(backbone, self)
