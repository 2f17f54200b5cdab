"""Models Genesis for any backbone (Zhou et al., MICCAI 2019; Medical Image Analysis 67, 2021)."""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Objective, Term, Terms

from voxbench_baselines.objectives.distort import (
    flipped_at_random,
    happens,
    in_painted,
    nonlinear,
    out_painted,
    shuffled,
)

if TYPE_CHECKING:
    from voxbench_baselines.models_genesis import ModelsGenesis


class ModelsGenesisObjective(Objective):
    """Distort a patch in the published ways and restore it.

    The order is the published one: mirror (the target too), shuffle within small windows, bend
    the intensities, then paint over blocks inside or over all but blocks. The published inputs
    lie in 0…1; here every transform works in the range from the smallest to the largest voxel of
    a patch's channel, so that windowed and z-scored images are distorted alike.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        channels: of the images.
        chances: how often a patch is distorted in which way.
    """

    def __init__(self, backbone: Backbone, channels: int, chances: "ModelsGenesis") -> None:
        super().__init__(backbone)
        self.chances = chances
        self.head = nn.Conv3d(backbone.out_channels, channels, kernel_size=1)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Mean squared error of the restored images (b, c, d, h, w)."""
        images = flipped_at_random(images, self.chances.flipping)
        distorted = self.distorted(images)
        restored = self.head(self.backbone(distorted))
        trivial = {
            "copy": F.mse_loss(distorted, images),
            "mean": (images - images.mean((2, 3, 4), True)).square().mean(),
        }
        return {"restoration": Term(F.mse_loss(restored.float(), images), trivial)}

    def distorted(self, images: Tensor) -> Tensor:
        """The images (b, c, d, h, w) as the network sees them."""
        chances, batch, device = self.chances, len(images), images.device
        changed = torch.where(happens(batch, chances.shuffling, device), shuffled(images), images)
        changed = torch.where(
            happens(batch, chances.nonlinear, device), nonlinear(changed), changed
        )
        painted = happens(batch, chances.painting, device)
        inside = happens(batch, chances.inside, device)
        changed = torch.where(painted & inside, in_painted(changed), changed)
        return torch.where(painted & ~inside, out_painted(changed), changed)
