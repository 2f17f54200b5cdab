"""A baseline that is pre-trained by removing noise."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Pretrained, TaskCard

if TYPE_CHECKING:
    from voxbench.toolkit import Backbone, Objective


@dataclass(frozen=True, kw_only=True)
class Denoising(Pretrained):
    """Predict the clean image from a noisy one."""

    noise: float = 0.5

    needs_labels: ClassVar[bool] = False
    card: ClassVar[BaselineCard] = BaselineCard(
        name="example-denoising",
        strategy="self-supervised",
        licence="CC0-1.0",
        reference="Vincent et al., ICML 2008",
    )

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        import torch
        from torch import nn
        from voxbench.toolkit import Objective, Term

        class Denoise(Objective):
            def __init__(self, noise: float) -> None:
                super().__init__(backbone)
                self.head = nn.Conv3d(backbone.out_channels, len(source.channels), 1)
                self.noise = noise

            def forward(self, images, labels, labelled):  # type: ignore[no-untyped-def]
                noisy = images + self.noise * torch.randn_like(images)
                error = (self.head(self.backbone(noisy)) - images).square().mean()
                return {"denoising": Term(error, trivial={"copy": self.noise**2})}

        return Denoise(self.noise)
