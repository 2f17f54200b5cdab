"""Supervised pre-training on many structures with partial labels (Li et al., SuPreM, ICLR 2024)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.api import IGNORED
from voxbench.toolkit import Backbone, Objective, Term, Terms


class StructuresObjective(Objective):
    """One sigmoid a structure; Dice plus binary cross-entropy over the annotated ones.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        classes: structures of the source.
    """

    def __init__(self, backbone: Backbone, classes: int) -> None:
        super().__init__(backbone)
        self.head = nn.Conv3d(backbone.out_channels, classes, kernel_size=1)

    def forward(self, images: Tensor, labels: Tensor, labelled: Tensor) -> Terms:
        """Loss of images (b, c, d, h, w), labels (b, d, h, w) and labelled (b, class)."""
        return {
            "structures": Term(structure_loss(self.head(self.backbone(images)), labels, labelled))
        }


def structure_loss(logits: Tensor, labels: Tensor, labelled: Tensor) -> Tensor:
    """Sigmoid Dice plus binary cross-entropy, averaged over the annotated (case, class) pairs.

    A structure that was not annotated in a case is left out of its loss altogether.

    Args:
        logits: (b, class, d, h, w).
        labels: (b, d, h, w); class `i` of the card has the value `i + 1`, 0 is background; voxels
            that are IGNORED count nowhere.
        labelled: (b, class) bool.
    """
    logits = logits.float().flatten(2)
    values = torch.arange(1, logits.shape[1] + 1, device=labels.device)
    truth = (labels.flatten(1).unsqueeze(1) == values.view(1, -1, 1)).to(logits.dtype)
    p = torch.sigmoid(logits)
    entropies = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    known = (labels.flatten(1) != IGNORED).unsqueeze(1).to(logits.dtype)
    if bool(known.all()):
        entropy = entropies.mean(2)
    else:
        p = p * known
        entropy = (entropies * known).sum(2) / known.sum(2).clamp(min=1)
    overlap, total = (p * truth).sum(2), p.sum(2) + truth.sum(2)
    dice = 1 - (2 * overlap + 1) / (total + 1)
    weight = labelled.to(logits.dtype)
    return ((dice + entropy) * weight).sum() / weight.sum().clamp(min=1)
