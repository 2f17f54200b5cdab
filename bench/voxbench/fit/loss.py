"""The fine-tuning loss: softmax Dice plus cross-entropy, with partial labels."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    labelled: Tensor,
    kind: Literal["dice_ce", "dice", "ce"] = "dice_ce",
) -> Tensor:
    """Mean loss of a batch.

    A class that was not annotated in a case counts as background there: its probability is
    added to the background's (the marginal loss of Shi et al., Medical Image Analysis 2021),
    and its Dice is left out.

    Args:
        logits: (batch, 1 + classes, d, h, w).
        labels: (batch, d, h, w), channel indices, 0 is background.
        labelled: (batch, classes) bool, which classes were annotated.
        kind: Dice and cross-entropy, or one of them.

    Returns:
        A scalar; Dice is the soft Dice of Milletari et al. (2016) over each case's classes.
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    if not bool(labelled.all()):
        log_p = _marginal(log_p, labelled)
    loss = logits.new_zeros((), dtype=torch.float32)
    if kind != "dice":
        loss = loss + F.nll_loss(log_p, labels)
    if kind != "ce":
        loss = loss + _dice_loss(log_p, labels, labelled)
    return loss


def _marginal(log_p: Tensor, labelled: Tensor) -> Tensor:
    hidden = F.pad(~labelled, (1, 0), value=False)[..., None, None, None]
    absorbed = torch.where(hidden, log_p, log_p.new_full((), -torch.inf))
    background = torch.logsumexp(torch.cat([log_p[:, :1], absorbed[:, 1:]], dim=1), 1, True)
    foreground = log_p[:, 1:].masked_fill(hidden[:, 1:], -1e4)
    return torch.cat([background, foreground], dim=1)


def _dice_loss(log_p: Tensor, labels: Tensor, labelled: Tensor) -> Tensor:
    p = log_p[:, 1:].exp().flatten(2)
    truth = F.one_hot(labels, log_p.shape[1]).movedim(-1, 1)[:, 1:].flatten(2).to(p.dtype)
    overlap = (p * truth).sum(2)
    total = p.sum(2) + truth.sum(2)
    dice = (2 * overlap + 1e-5) / (total + 1e-5)
    weight = labelled.to(p.dtype)
    return 1 - (dice * weight).sum() / weight.sum().clamp(min=1)
