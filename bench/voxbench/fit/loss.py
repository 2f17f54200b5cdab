"""The fine-tuning loss: softmax Dice plus cross-entropy, with partial labels."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from voxbench.api import IGNORED, TaskCard

_TINY = 1e-6  # of a count: where it is 0, so is what it divides


def segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    labelled: Tensor,
    kind: Literal["dice_ce", "dice", "ce"] = "dice_ce",
    regions: Tensor | None = None,
    counts: Tensor | None = None,
) -> Tensor:
    """Mean loss of a batch.

    A class that was not annotated in a case counts as background there: its probability is
    added to the background's (the marginal loss of Shi et al., Medical Image Analysis 2021),
    and its Dice is left out. Voxels that nobody annotated (IGNORED) count nowhere. The parts of
    overlapping regions exclude one another: a region's probability is the sum of its parts', its
    Dice is taken of that, and cross-entropy of the parts.

    Args:
        logits: (batch, 1 + classes, d, h, w).
        labels: (batch, d, h, w), channel indices, 0 is background.
        labelled: (batch, classes) bool, which classes were annotated.
        kind: Dice and cross-entropy, or one of them.
        regions: (region, classes) of 0 and 1, which parts a region is made of; None where each
            class is one.
        counts: what the means are divided by where the batch is one of several parts, as
            `mean_counts` has them of all; None divides by its own.

    Returns:
        A scalar; Dice is the soft Dice of Milletari et al. (2016) over each case's classes.
    """
    log_p = _log_probabilities(logits, labelled)
    known = labels != IGNORED
    voxels, structures = (None, None) if counts is None else counts.float()
    if (whole := _surely(known)) and voxels is None:
        entropy = F.nll_loss(log_p, labels)
    else:
        labels = torch.where(known, labels, 0)
        entropies = F.nll_loss(log_p, labels, reduction="none")
        entropy = _mean(entropies, known, voxels)
    loss = logits.new_zeros((), dtype=torch.float32)
    if kind != "dice":
        loss = loss + entropy
    if kind != "ce":
        dice = _dice(log_p, labels, None if whole else known, regions)
        annotated = labelled if regions is None else _whole_regions(labelled, regions)
        loss = loss + (1 - _mean(dice, annotated, structures))
    return loss


def label_likelihood(logits: Tensor, labels: Tensor, labelled: Tensor) -> Tensor:
    """The log-probability of each voxel's label, (batch, d, h, w); 0 where nobody annotated.

    Args:
        logits: (batch, 1 + classes, d, h, w).
        labels: (batch, d, h, w).
        labelled: (batch, classes) bool; see `segmentation_loss`.
    """
    known = labels != IGNORED
    log_p = _log_probabilities(logits, labelled)
    return -F.nll_loss(log_p, torch.where(known, labels, 0), reduction="none") * known


def mean_counts(labels: Tensor, labelled: Tensor, regions: Tensor | None = None) -> Tensor:
    """What the means of a batch's loss are divided by: known voxels, and annotated structures.

    Args:
        labels: (batch, d, h, w).
        labelled: (batch, classes) bool.
        regions: see `segmentation_loss`.

    Returns:
        (2,) float64.
    """
    annotated = labelled if regions is None else _whole_regions(labelled, regions)
    return torch.stack([(labels != IGNORED).sum(), annotated.sum()]).double()


def region_parts(card: TaskCard) -> Tensor | None:
    """Which parts (columns) each class (rows) of a task is made of; None where each is one."""
    if not card.has_regions:
        return None
    found = torch.zeros(len(card.classes), len(card.parts))
    for row, index in enumerate(card.indices.values()):
        columns = index if isinstance(index, tuple) else (index,)
        found[row, [column - 1 for column in columns]] = 1
    return found


def _log_probabilities(logits: Tensor, labelled: Tensor) -> Tensor:
    """Of every class; one that was not annotated in a case is background there."""
    log_p = torch.log_softmax(logits.float(), dim=1)
    return log_p if _surely(labelled) else _marginal(log_p, labelled)


def _surely(flags: Tensor) -> bool:
    """Whether all are true; a GPU is not asked, as the answer would have to be waited for."""
    return flags.device.type == "cpu" and bool(flags.all())


def _marginal(log_p: Tensor, labelled: Tensor) -> Tensor:
    hidden = F.pad(~labelled, (1, 0), value=False)[..., None, None, None]
    absorbed = torch.where(hidden, log_p, log_p.new_full((), -torch.inf))
    background = torch.logsumexp(torch.cat([log_p[:, :1], absorbed[:, 1:]], dim=1), 1, True)
    foreground = log_p[:, 1:].masked_fill(hidden[:, 1:], -1e4)
    return torch.cat([background, foreground], dim=1)


def _dice(log_p: Tensor, labels: Tensor, known: Tensor | None, regions: Tensor | None) -> Tensor:
    """Soft Dice of each case and class, or region."""
    p = log_p[:, 1:].exp().flatten(2)
    truth = F.one_hot(labels, log_p.shape[1]).movedim(-1, 1)[:, 1:].flatten(2).to(p.dtype)
    if known is not None:
        p = p * known.flatten(1).unsqueeze(1)
    if regions is not None:
        regions = regions.to(p)
        p, truth = regions @ p, regions @ truth
    overlap = (p * truth).sum(2)
    total = p.sum(2) + truth.sum(2)
    return (2 * overlap + 1e-5) / (total + 1e-5)


def _whole_regions(labelled: Tensor, regions: Tensor) -> Tensor:
    """Which regions were annotated in a case, all parts of them: (batch, regions) bool."""
    regions = regions.to(labelled.device)
    return (regions @ (~labelled).to(regions.dtype).T).T == 0


def _mean(values: Tensor, chosen: Tensor, count: Tensor | None) -> Tensor:
    divisor = chosen.sum().clamp(min=1) if count is None else count.clamp(min=_TINY)
    return (values * chosen).sum() / divisor
