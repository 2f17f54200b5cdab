"""Volume Fusion for any backbone (Wang et al., MIS-FM, arXiv:2306.16925, 2023)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Objective, Term, Terms

_FEWEST, _MOST = 10, 40  # boxes in a patch, as published
_SHORTEST, _LONGEST = 1 / 16, 5 / 8  # sides of a box, as shares of the patch's
_SMOOTH = 1e-5


class VolumeFusionObjective(Objective):
    """Mix boxes of each patch into the next one; tell for every voxel with which share.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        coefficients: shares other than 0.
    """

    def __init__(self, backbone: Backbone, coefficients: int) -> None:
        super().__init__(backbone)
        self.coefficients = coefficients
        self.head = nn.Conv3d(backbone.out_channels, coefficients + 1, kernel_size=1)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Softmax Dice and cross-entropy of the shares in images (b, c, d, h, w), b at least 2."""
        classes = random_classes(len(images), images.shape[2:], self.coefficients, images.device)
        fused = fuse(images, images.roll(-1, 0), classes, self.coefficients)
        return class_terms(self.head(self.backbone(fused)), classes)


def fuse(foreground: Tensor, background: Tensor, classes: Tensor, coefficients: int) -> Tensor:
    """Voxels of class k take k/coefficients of the foreground, the rest of the background.

    Args:
        foreground: (b, c, d, h, w).
        background: (b, c, d, h, w).
        classes: (b, d, h, w), 0 to `coefficients`.
        coefficients: shares other than 0.
    """
    share = (classes / coefficients).unsqueeze(1).to(foreground.dtype)
    return share * foreground + (1 - share) * background


def random_classes(
    batch: int, shape: Sequence[int], coefficients: int, device: torch.device
) -> Tensor:
    """Ten to forty boxes in a patch, each of a random class above 0: int (b, d, h, w).

    A later box covers an earlier one, so that classes have irregular shapes; 0 is what no
    box covers. Boxes lie within the patch.
    """
    count = torch.randint(_FEWEST, _MOST + 1, (batch, 1), device=device)
    drawn = torch.randint(1, coefficients + 1, (batch, _MOST), device=device)
    spans = [_spans(batch, side, device) for side in shape]
    classes = torch.zeros(batch, *shape, dtype=torch.long, device=device)
    for box in range(_MOST):
        d, h, w = (span[:, box] for span in spans)
        inside = d[:, :, None, None] & h[:, None, :, None] & w[:, None, None, :]
        inside &= (count > box).view(-1, 1, 1, 1)
        classes = torch.where(inside, drawn[:, box].view(-1, 1, 1, 1), classes)
    return classes


def _spans(batch: int, side: int, device: torch.device) -> Tensor:
    """Where boxes lie along an axis: bool (b, boxes, side)."""
    least, most = max(1, round(_SHORTEST * side)), max(1, int(_LONGEST * side))
    width = torch.randint(least, most + 1, (batch, _MOST), device=device)
    room = side - width + 1
    start = (torch.rand(batch, _MOST, device=device) * room).long().unsqueeze(2)
    places = torch.arange(side, device=device)
    return (places >= start) & (places < start + width.unsqueeze(2))


def class_terms(logits: Tensor, classes: Tensor) -> Terms:
    """Softmax Dice over the classes in sight, and cross-entropy.

    The answer that takes no learning is each class's share of the batch, everywhere.

    Args:
        logits: (b, class, d, h, w).
        classes: (b, d, h, w).
    """
    log_p = torch.log_softmax(logits.float(), dim=1).flatten(2)
    flat = classes.flatten(1)
    truth = F.one_hot(flat, logits.shape[1]).mT.to(log_p.dtype)
    share = truth.mean((0, 2))
    constant = share.view(1, -1, 1).expand_as(truth)
    return {
        "dice": Term(_dice_loss(log_p.exp(), truth), {"share": _dice_loss(constant, truth)}),
        "entropy": Term(F.nll_loss(log_p, flat), {"share": -torch.xlogy(share, share).sum()}),
    }


def _dice_loss(p: Tensor, truth: Tensor) -> Tensor:
    """Mean over the pairs of a patch and a class that it holds; both (b, class, voxels)."""
    sizes = truth.sum(2)
    dice = 2 * (p * truth).sum(2) / (p.sum(2) + sizes + _SMOOTH)
    seen = (sizes > 0).to(p.dtype)
    return 1 - (dice * seen).sum() / seen.sum()
