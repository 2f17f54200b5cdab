"""Supervised pre-training on many structures with partial labels (Li et al., SuPreM, ICLR 2024)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.api import IGNORED
from voxbench.toolkit import WHOLE, Backbone, Objective, Share, Term, Terms

from voxbench_baselines.objectives.distort import shifted
from voxbench_baselines.objectives.turn import random_turns, turned

_TURNED, _SHIFTED = 0.1, 0.2  # SuPreM's probabilities
_TINY = 1e-6  # of a count: where it is 0, so is what it divides


class StructuresObjective(Objective):
    """One sigmoid a structure; Dice plus binary cross-entropy over the annotated ones.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        classes: structures of the source.
        augments: turn and brighten patches as SuPreM does.
    """

    def __init__(self, backbone: Backbone, classes: int, augments: bool) -> None:
        super().__init__(backbone)
        self.augments = augments
        self.head = nn.Conv3d(backbone.out_channels, classes, kernel_size=1)

    def forward(
        self, images: Tensor, labels: Tensor, labelled: Tensor, share: Share = WHOLE
    ) -> Terms:
        """Loss of images (b, c, d, h, w), labels (b, d, h, w) and labelled (b, class)."""
        if self.augments and self.training:
            turns = random_turns(images, _TURNED, share)
            images = shifted(turned(images, *turns), _SHIFTED, share=share)
            labels = turned(labels, *turns)
        return structure_loss(self.head(self.backbone(images)), labels, labelled, share.counts)

    def counts(self, labels: Tensor, labelled: Tensor) -> Tensor:
        """See `structure_counts`; turns and brightness change none of them."""
        return structure_counts(labels, labelled)


def structure_counts(labels: Tensor, labelled: Tensor) -> Tensor:
    """What the means of `structure_loss` are divided by, float64 (2 + 2 · class,).

    The (case, class) pairs in sight and all that were annotated; then of each class its voxels, and
    all voxels that may be its.
    """
    voxels, known = labels.flatten(1), (labels != IGNORED).flatten(1).sum(1)
    own = torch.stack([(voxels == i + 1).sum(1) for i in range(labelled.shape[1])], dim=1)
    pairs = labelled.to(own.dtype)
    ends = torch.stack([(pairs * (own > 0)).sum(), pairs.sum()])
    return torch.cat([ends, (own * pairs).sum(0), (known.unsqueeze(1) * pairs).sum(0)]).double()


def structure_loss(
    logits: Tensor, labels: Tensor, labelled: Tensor, counts: Tensor | None = None
) -> Terms:
    """Sigmoid Dice over the structures in sight, and binary cross-entropy over all.

    Both are averaged over (case, class) pairs and leave out what was not annotated in a case. Dice
    counts the pairs with a voxel in the patch, as published: of an absent structure there is no
    overlap, and its Dice would be 0 whatever was learnt. Answers that take no learning are
    the whole patch for the Dice, and each class's share of the batch for the entropy.

    Args:
        logits: (b, class, d, h, w).
        labels: (b, d, h, w); class `i` of the card has the value `i + 1`, 0 is background; voxels
            that are IGNORED count nowhere.
        labelled: (b, class) bool.
        counts: `structure_counts`, where this is a part of the batch; None takes its own.
    """
    seen_pairs, all_pairs, *by_class = (None, None) if counts is None else counts.float()
    logits = logits.float().flatten(2)
    values = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    truth = (labels.flatten(1).unsqueeze(1) == values.view(1, -1, 1)).to(logits.dtype)
    known = (labels.flatten(1) != IGNORED).unsqueeze(1).to(logits.dtype)
    pairs = labelled.to(logits.dtype)
    seen = pairs * truth.any(2)

    def dice(p: Tensor) -> Tensor:
        p = p * known
        overlap, sizes = (p * truth).sum(2), p.sum(2) + truth.sum(2)
        return _mean(1 - 2 * overlap / (sizes + 1), seen, seen_pairs)

    def entropy(answers: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(answers, truth, reduction="none") * known
        return _mean(each.sum(2) / known.sum(2).clamp(min=1), pairs, all_pairs)

    if by_class:
        own, possible = torch.stack(by_class).chunk(2)
    else:
        own = (truth * pairs.unsqueeze(2)).sum((0, 2))
        possible = (known * pairs.unsqueeze(2)).sum((0, 2))
    share = own / possible
    constant = torch.logit(share.nan_to_num(), eps=1e-6).view(1, -1, 1).expand_as(logits)
    return {
        "dice": Term(dice(torch.sigmoid(logits)), {"everything": dice(torch.ones_like(logits))}),
        "entropy": Term(entropy(logits), {"share": entropy(constant)}),
    }


def _mean(values: Tensor, weights: Tensor, count: Tensor | None) -> Tensor:
    divisor = weights.sum().clamp(min=1) if count is None else count.clamp(min=_TINY)
    return (values * weights).sum() / divisor
