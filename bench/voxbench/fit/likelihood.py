"""The loss of stochastic segmentation networks: the likelihood of a whole label map."""

import math

import torch
from torch import Tensor

from voxbench.fit.loss import label_likelihood
from voxbench.fit.share import WHOLE, Share
from voxbench.model.stochastic import RANK, LogitNormal

SAMPLES = 10


def likelihood_loss(
    logits: LogitNormal, labels: Tensor, labelled: Tensor, share: Share = WHOLE
) -> Tensor:
    """Minus the log-likelihood of the label maps, a voxel, estimated from ten draws.

    −mean over images of [logsumexp over draws of Σ over voxels of log p(y | draw) − log 10], as in
    Monteiro et al. (NeurIPS 2020), over the voxels of an image, so that it is as large as a
    cross-entropy. Classes and voxels without annotation count as in `segmentation_loss`.

    Args:
        logits: of a batch.
        labels: (batch, d, h, w), channel indices, 0 is background.
        labelled: (batch, classes) bool, which classes were annotated.
        share: which part of the batch it is; all parts draw alike.
    """
    count, shape, device = len(labels), logits.mean.shape[1:], labels.device
    likelihoods = []
    for _ in range(SAMPLES):
        common = share.rows(lambda rows: torch.randn(rows, RANK, device=device), count)
        own = share.rows(lambda rows: torch.randn(rows, *shape, device=device), count)
        drawn = logits.draw(common, own)
        likelihoods.append(label_likelihood(drawn, labels, labelled).flatten(1).sum(1))
    each = torch.logsumexp(torch.stack(likelihoods), dim=0) - math.log(SAMPLES)
    return -each.mean() / labels[0].numel()
