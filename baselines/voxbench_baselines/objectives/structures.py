"""Supervised pre-training on many structures with partial labels (Li et al., SuPreM, ICLR 2024)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.api import IGNORED
from voxbench.toolkit import Backbone, Objective, Term, Terms

from voxbench_baselines.objectives.distort import shifted
from voxbench_baselines.objectives.turn import random_turns, turned

_TURNED, _SHIFTED = 0.1, 0.2  # SuPreM's probabilities


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

    def forward(self, images: Tensor, labels: Tensor, labelled: Tensor) -> Terms:
        """Loss of images (b, c, d, h, w), labels (b, d, h, w) and labelled (b, class)."""
        if self.augments and self.training:
            turns = random_turns(images, _TURNED)
            images, labels = shifted(turned(images, *turns), _SHIFTED), turned(labels, *turns)
        return structure_loss(self.head(self.backbone(images)), labels, labelled)


def structure_loss(logits: Tensor, labels: Tensor, labelled: Tensor) -> Terms:
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
    """
    logits = logits.float().flatten(2)
    values = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    truth = (labels.flatten(1).unsqueeze(1) == values.view(1, -1, 1)).to(logits.dtype)
    known = (labels.flatten(1) != IGNORED).unsqueeze(1).to(logits.dtype)
    pairs = labelled.to(logits.dtype)
    seen = pairs * truth.any(2)

    def dice(p: Tensor) -> Tensor:
        p = p * known
        overlap, sizes = (p * truth).sum(2), p.sum(2) + truth.sum(2)
        return _mean(1 - 2 * overlap / (sizes + 1), seen)

    def entropy(answers: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(answers, truth, reduction="none") * known
        return _mean(each.sum(2) / known.sum(2).clamp(min=1), pairs)

    share = (truth * pairs.unsqueeze(2)).sum((0, 2)) / (known * pairs.unsqueeze(2)).sum((0, 2))
    constant = torch.logit(share.nan_to_num(), eps=1e-6).view(1, -1, 1).expand_as(logits)
    return {
        "dice": Term(dice(torch.sigmoid(logits)), {"everything": dice(torch.ones_like(logits))}),
        "entropy": Term(entropy(logits), {"share": entropy(constant)}),
    }


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1)
