"""Segmenters that are trained to say how unsure they are, on every backbone by the same rule."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv3d

from voxbench.model.backbones import Backbone
from voxbench.model.segmenter import Segmenter

Stochastic = Literal["dropout", "ssn"]

DROPOUT = 0.5
RANK = 10
_ALONE = 0.5  # share of the steps
_LEAST_VARIANCE = 1e-5
_LARGEST_LOG_VARIANCE = 10.0


class DropoutSegmenter(Segmenter):
    """A segmenter with dropout, which may go on after training (Gal and Ghahramani, ICML 2016).

    Half of the values are dropped of every map that the encoder hands to the decoder, and of the
    features that the decoder hands to the head; no layer of the backbone is touched, so that
    published weights fit.
    """

    def __init__(self, backbone: Backbone, classes: int) -> None:
        super().__init__(backbone, classes)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of every voxel."""
        maps = [self.dropout(one) for one in self.backbone.encoder(image)]
        logits: Tensor = self.head(self.dropout(self.backbone.decoder(maps)))
        return logits


class LogitNormal(NamedTuple):
    """A multivariate normal over the logits of all voxels: N(μ, P Pᵀ + σ²).

    Attributes:
        mean: (b, class, *spatial) μ.
        factor: (b, class, rank, *spatial) P.
        deviation: (b, class, *spatial) σ, of each logit alone.
    """

    mean: Tensor
    factor: Tensor
    deviation: Tensor

    def draw(self, common: Tensor, own: Tensor) -> Tensor:
        """One set of logits (b, class, *spatial).

        Args:
            common: (b, rank) standard normal, what all voxels share.
            own: (b, class, *spatial) standard normal.
        """
        shared = torch.einsum("bcr...,br->bc...", self.factor, common)
        return self.mean + shared + self.deviation * own

    @classmethod
    def of_stacked(cls, channels: Tensor) -> "LogitNormal":
        """Of channels (b, class · (2 + rank), *spatial), linear in all that `draw` adds."""
        classes = channels.shape[1] // (2 + RANK)
        spatial = channels.shape[2:]
        factor = channels[:, classes:-classes].reshape(-1, classes, RANK, *spatial)
        return cls(channels[:, :classes], factor, channels[:, -classes:])


class StochasticSegmenter(Segmenter):
    """A stochastic segmentation network (Monteiro et al., NeurIPS 2020): a normal over the logits.

    Three 1×1×1 convolutions of the features give mean, factor (rank 10) and diagonal of its
    covariance, P Pᵀ + diag(exp(d) + 1e-5); d is at most 10, so that nothing overflows. As a
    segmenter it gives the mean.

    Attributes:
        correlated: whether voxels are; see `at`.
    """

    def __init__(self, backbone: Backbone, classes: int) -> None:
        super().__init__(backbone, classes)
        self.factor = nn.Conv3d(backbone.out_channels, RANK * (1 + classes), kernel_size=1)
        self.diagonal = nn.Conv3d(backbone.out_channels, 1 + classes, kernel_size=1)
        self.correlated = True

    def at(self, progress: float) -> None:
        """Hold P at 0 in the first half of training, in which the mean is learnt.

        That is what ValUES (Kahl et al., ICLR 2024) do. Of ten draws from a wide normal the best
        explains the labels nearly alone, so that a mean that was not learnt before stays wrong.
        """
        self.correlated = progress >= _ALONE

    def distribution(self, image: Tensor) -> LogitNormal:
        """The normal over the logits of every image of a batch."""
        return LogitNormal.of_stacked(self.stacked(image))

    def stacked(self, image: Tensor) -> Tensor:
        """The same as channels, see `LogitNormal.of_stacked`: held once, as there are many."""
        heads = (self.head, self.factor, self.diagonal)
        weight = torch.cat([head.weight for head in heads])
        bias = torch.cat([head.bias for head in heads if head.bias is not None])
        channels = conv3d(self.backbone(image), weight, bias).float()
        classes = self.head.out_channels
        if not self.correlated:
            channels[:, classes:-classes] = 0
        logarithm = channels[:, -classes:].clone()  # its gradient asks for it as it was
        variance = logarithm.clamp(max=_LARGEST_LOG_VARIANCE).exp() + _LEAST_VARIANCE
        channels[:, -classes:] = variance.sqrt()
        return channels


def segmenter_of(
    backbone: Backbone, classes: int, stochastic: Stochastic | None = None
) -> Segmenter:
    """A segmenter as a recipe's `stochastic` says; backbone and head begin alike in all of them."""
    kinds = {None: Segmenter, "dropout": DropoutSegmenter, "ssn": StochasticSegmenter}
    return kinds[stochastic](backbone, classes)
