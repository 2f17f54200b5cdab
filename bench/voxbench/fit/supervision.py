"""Deep supervision: a loss at several resolutions of the decoder, as in nnU-Net (version 2).

The idea is Lee et al.'s (AISTATS 2015), the weights are `nnUNetTrainer._build_loss`'s.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from voxbench.design.kernels import Scale
from voxbench.fit.loss import mean_counts, segmentation_loss
from voxbench.model.segmenter import Segmenter


class DeeplySupervised(nn.Module):
    """A segmenter in training: image (b, c, d, h, w) → logits level by level, finest first.

    Args:
        segmenter: whose head gives the finest logits; it is all that remains after training.
        seed: of the other heads' first weights.

    Attributes:
        scales: of the levels.
    """

    def __init__(self, segmenter: Segmenter, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        decoder, outputs = segmenter.backbone.decoder, segmenter.head.out_channels
        self.segmenter = segmenter
        self.scales = decoder.scales[:-1]
        self.heads = nn.ModuleList(nn.Conv3d(n, outputs, 1) for n in decoder.widths[1:-1])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Logits of every supervised level."""
        finest, *coarser = self.segmenter.backbone.pyramid(image)
        pairs = zip(self.heads, coarser[:-1], strict=True)
        return [self.segmenter.head(finest), *(head(features) for head, features in pairs)]


def supervised_loss(
    scales: Sequence[Scale],
    levels: Sequence[Tensor],
    labels: Tensor,
    labelled: Tensor,
    kind: Literal["dice_ce", "dice", "ce"] = "dice_ce",
    regions: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """The mean of the levels' losses, each weighing half of the one above.

    Args:
        scales: of the levels.
        levels: logits (batch, 1 + classes, d, h, w), finest first.
        labels: (batch, d, h, w) at full resolution.
        labelled: as in `segmentation_loss`.
        kind: as in `segmentation_loss`.
        regions: as in `segmentation_loss`.
        counts: as in `segmentation_loss`, from `supervised_counts`.
    """
    weights = [0.5**level for level in range(len(levels))]
    each = [None] * len(levels) if counts is None else list(counts)
    losses = [
        weight * segmentation_loss(logits, _seen(labels, scale), labelled, kind, regions, count)
        for weight, logits, scale, count in zip(weights, levels, scales, each, strict=True)
    ]
    return torch.stack(losses).sum() / sum(weights)


def supervised_counts(
    scales: Sequence[Scale], labels: Tensor, labelled: Tensor, regions: Tensor | None = None
) -> Tensor:
    """`mean_counts` of every level: (levels, 2) float64."""
    return torch.stack([mean_counts(_seen(labels, scale), labelled, regions) for scale in scales])


def _seen(labels: Tensor, scale: Scale) -> Tensor:
    """The labels that a level sees: of each of its voxels, the one nearest to the middle."""
    a, b, c = scale
    return labels[:, a // 2 :: a, b // 2 :: b, c // 2 :: c]
