"""Images of random contrast, drawn from label maps (Billot et al., SynthSeg, 2023)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Objective, Terms

from voxbench_baselines.objectives.structures import structure_loss
from voxbench_baselines.objectives.views import recoloured

_MEANS, _DEVIATIONS = (25.0, 225.0), (5.0, 25.0)  # SynthSeg's, of 0…255
_VALUES = 256  # that a label map may hold
_PRIOR = -3.0  # logit of 5%: what is drawn is background for the most part
_NODES = 4  # of the smooth field, along each axis


class RandomAppearanceObjective(Objective):
    """Draw an image of each patch's label map, and segment that.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        classes: of the source.
        bias: how far a smooth field may scale intensities: by exp(±bias).
    """

    def __init__(self, backbone: Backbone, classes: int, bias: float) -> None:
        super().__init__(backbone)
        self.bias = bias
        self.head = nn.Conv3d(backbone.out_channels, classes, kernel_size=1)
        nn.init.constant_(self.head.bias, _PRIOR)  # type: ignore[arg-type]

    def forward(self, images: Tensor, labels: Tensor, labelled: Tensor) -> Terms:
        """Loss of labels (b, d, h, w) and labelled (b, class); of images (b, c, …) the shape."""
        drawn = draw_images(labels, images.shape[1]).to(images.dtype)
        drawn = standardised(recoloured(drawn * smooth_factor(drawn, self.bias)))
        return structure_loss(self.head(self.backbone(drawn)), labels, labelled)


def draw_images(labels: Tensor, channels: int) -> Tensor:
    """Normal noise about a mean that each value of each map has: (b, d, h, w) → (b, c, d, h, w).

    Mean and deviation are drawn for each patch and channel.
    """
    batch, device = len(labels), labels.device
    places = labels.flatten(1).unsqueeze(1).expand(-1, channels, -1)

    def of_values(low: float, high: float) -> Tensor:
        drawn = low + (high - low) * torch.rand(batch, channels, _VALUES, device=device)
        return drawn.gather(2, places)

    means, deviations = of_values(*_MEANS), of_values(*_DEVIATIONS)
    drawn = means + deviations * torch.randn(means.shape, device=device)
    return drawn.view(batch, channels, *labels.shape[1:])


def smooth_factor(images: Tensor, most: float) -> Tensor:
    """A factor that changes smoothly within exp(±most), for each patch: (b, 1, d, h, w)."""
    nodes = 2 * torch.rand(len(images), 1, _NODES, _NODES, _NODES, device=images.device) - 1
    return F.interpolate(most * nodes, size=images.shape[2:], mode="trilinear").exp()


def standardised(images: Tensor) -> Tensor:
    """Each patch and channel with mean 0 and deviation 1."""
    dims = (2, 3, 4)
    deviation = images.std(dims, keepdim=True).clamp_min(1e-6)
    return (images - images.mean(dims, keepdim=True)) / deviation
