"""Swin UNETR's self-supervised pre-training, done here on the source's images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Change, Pretrained, Settings, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective, Pretraining


@dataclass(frozen=True, kw_only=True)
class SwinUnetrSSL(Pretrained):
    """In-painting, rotation and contrast together, on any network; needs no labels.

    Its authors' network is `architecture = "swin-unetr"`; `"swin-unetr-distinct"` is the same
    without the slip in its patch merging. The encoder alone is trained.

    Attributes:
        cutout: share of a view that is filled with noise, and again with other views, at most.
        temperature: of the contrast.
        inpainting: weight of the restoration.
        rotation: weight of the turn.
        contrast: weight of the contrast.
    """

    cutout: float = 0.3
    temperature: float = 0.5
    inpainting: float = 1.0
    rotation: float = 1.0
    contrast: float = 1.0

    card: ClassVar[BaselineCard] = BaselineCard(
        name="swin-unetr-ssl",
        strategy="self-supervised",
        licence="of the source",
        reference="Tang et al., Self-Supervised Pre-Training of Swin Transformers for 3D Medical "
        "Image Analysis, CVPR 2022",
        note="As in the released code, views turn in the plane of the last two axes, where these "
        "are equal (the paper says, about the z-axis). Different here: turn and contrast read mean "
        "and maximum of the whole coarsest map (the authors the first and second of its "
        "voxels), noise spans the value range of each patch (theirs 0…1).",
    )
    needs_labels: ClassVar[bool] = False
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    version: ClassVar[int] = 2  # 1 restored through skips and mirrored what it turned
    recipes: ClassVar[Mapping[str, Settings]] = {
        "small": Settings(),
        "published": Settings(
            schedule={
                "steps": 100_000,
                "batch": 4,
                "patch": (96, 96, 96),
                "optimiser": "adamw",
                "learning_rate": 4e-4,
                "weight_decay": 0.1,
                "warmup": 0.005,
                "schedule": "cosine",
                "gradient_clip": None,
                "augmentation": "none",
            }
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.cutout < 1:
            raise ValueError(f"cutout must lie between 0 and 1, got {self.cutout}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")
        weights = {name: getattr(self, name) for name in ("inpainting", "rotation", "contrast")}
        if min(weights.values()) < 0 or not any(weights.values()):
            raise ValueError(f"weights must not be negative, and not all 0, got {weights}")

    @property
    def forbids(self) -> frozenset[Change]:
        """What turns a patch, whose turn is to be told, and what changes the restored values.

        A patch that is mirrored at random looks the same at 0° and at 180°.
        """
        return frozenset({"mirror", "rotation", "intensity"})

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """A single patch: there is no other that its views could be told from."""
        if schedule.batch > 1 or not self.contrast:
            return None
        return (
            "its contrast tells the patches of a batch apart, and batch = 1 has no other; set "
            "pretraining.batch to 2 or more, or contrast = 0."
        )

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """The weighted sum of the three losses."""
        from voxbench_baselines.objectives.swin_unetr_ssl import SwinUnetrSSLObjective

        return SwinUnetrSSLObjective(backbone, len(source.channels), self)
