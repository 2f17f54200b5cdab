"""One vector a patch, of every map of an encoder."""

import torch
from torch import Tensor, nn
from voxbench.toolkit import Encoder


class Embedding(nn.Module):
    """The means of all channels of every feature map, through VoCo's projector.

    Args:
        encoder: that gives the maps.
        width: of the projector: three layers, batch norms without parameters and running
            statistics behind the first two.
    """

    def __init__(self, encoder: Encoder, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        layers: list[nn.Module] = []
        for features in (sum(encoder.channels), width):
            norm = nn.BatchNorm1d(width, affine=False, track_running_stats=False)
            layers += [nn.Linear(features, width), norm, nn.ReLU()]
        self.projector = nn.Sequential(*layers, nn.Linear(width, width))

    def forward(self, images: Tensor) -> Tensor:
        """(b, c, d, h, w) → (b, width)."""
        means = [features.mean((2, 3, 4)) for features in self.encoder(images)]
        vectors: Tensor = self.projector(torch.cat(means, dim=1))
        return vectors
