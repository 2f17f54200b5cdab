"""The likelihood of label maps under draws of logits: cases that are worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from voxbench.api import IGNORED
from voxbench.fit.likelihood import SAMPLES, likelihood_loss
from voxbench.fit.loss import segmentation_loss
from voxbench.fit.share import Share
from voxbench.model.stochastic import RANK, LogitNormal

ALL = torch.ones(2, 2, dtype=torch.bool)


def normal(mean, factor=0.0, deviation=0.0):
    shape = mean.shape
    return LogitNormal(
        mean,
        torch.full((shape[0], shape[1], RANK, *shape[2:]), factor),
        torch.full(shape, deviation),
    )


@pytest.fixture
def labels():
    return torch.randint(0, 3, (2, 3, 4, 5), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def mean():
    return torch.randn(2, 3, 3, 4, 5, generator=torch.Generator().manual_seed(1))


def test_without_variance_it_is_the_cross_entropy(mean, labels):
    assert likelihood_loss(normal(mean), labels, ALL) == pytest.approx(
        F.cross_entropy(mean, labels).item(), rel=1e-5
    )


def test_one_voxel_of_two_classes_by_hand():
    """−log of the mean over draws of p(y): the draws are those that the seed gives."""
    torch.manual_seed(7)
    loss = likelihood_loss(
        normal(torch.zeros(1, 2, 1, 1, 1), deviation=2.0),
        torch.ones(1, 1, 1, 1, dtype=torch.long),
        ALL[:1, :1],
    )
    torch.manual_seed(7)
    probabilities = []
    for _ in range(SAMPLES):
        torch.randn(1, RANK)
        low, high = (2 * torch.randn(1, 2, 1, 1, 1)).flatten().tolist()
        probabilities.append(1 / (1 + math.exp(low - high)))
    assert loss.item() == pytest.approx(-math.log(sum(probabilities) / SAMPLES), rel=1e-5)


def test_voxels_and_classes_without_annotation_count_as_in_other_losses(mean, labels):
    labels[0, :, :2] = IGNORED
    known = labels != IGNORED
    partly = torch.tensor([[True, False], [True, True]])
    labels[0][labels[0] == 2] = 0
    summed = segmentation_loss(mean, labels, partly, "ce") * known.sum()
    found = likelihood_loss(normal(mean), labels, partly)
    assert found.item() * labels.numel() == pytest.approx(summed.item(), rel=1e-5)


def test_a_likelihood_of_many_voxels_does_not_underflow():
    mean = torch.zeros(1, 2, 20, 20, 20)
    mean[:, 1] = -50
    wrong = torch.ones(1, 20, 20, 20, dtype=torch.long)
    assert likelihood_loss(normal(mean), wrong, ALL[:1, :1]).item() == pytest.approx(50)


def test_correlated_draws_explain_a_map_that_is_all_or_nothing():
    """All one class or all the other: shared noise gives a draw for either, own noise none."""
    one = torch.ones(1, 6, 6, 6, dtype=torch.long)
    mean = torch.zeros(1, 2, 6, 6, 6)
    shared = normal(mean)
    shared.factor[:, 1] = 2.0
    torch.manual_seed(0)
    assert likelihood_loss(shared, one, ALL[:1, :1]) < likelihood_loss(
        normal(mean, deviation=2.0 * RANK**0.5), one, ALL[:1, :1]
    )


def test_parts_of_a_batch_draw_as_the_batch_does(mean, labels):
    logits = normal(mean, factor=0.3, deviation=0.5)
    torch.manual_seed(0)
    whole = likelihood_loss(logits, labels, ALL)
    parts = []
    for index in range(2):
        torch.manual_seed(0)
        own = LogitNormal(*(part[index : index + 1] for part in logits))
        share = Share(index, 2)
        parts.append(likelihood_loss(own, labels[index : index + 1], ALL[:1], share))
    assert torch.stack(parts).mean().item() == pytest.approx(whole.item(), rel=1e-6)
