"""Segmenters that say how unsure they are: drawn as the normal that they stand for."""

import pytest
import torch
from torch.distributions import LowRankMultivariateNormal
from voxbench.model.segmenter import Segmenter
from voxbench.model.stochastic import (
    RANK,
    DropoutSegmenter,
    LogitNormal,
    StochasticSegmenter,
    segmenter_of,
)
from voxbench.plugins import ARCHITECTURES, find_architecture


def built(kind):
    torch.manual_seed(3)
    return segmenter_of(find_architecture("unet").build("tiny", 1), 2, kind)


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))


def test_draws_have_the_mean_and_covariance_of_a_low_rank_normal():
    """Two classes of two voxels, against torch's own distribution."""
    torch.manual_seed(0)
    mean, factor = torch.randn(1, 2, 1, 1, 2), torch.randn(1, 2, RANK, 1, 1, 2)
    deviation = torch.rand(1, 2, 1, 1, 2) + 0.1
    count = 200_000
    many = LogitNormal(mean, factor, deviation)
    drawn = LogitNormal(*(part.expand(count, *part.shape[1:]) for part in many)).draw(
        torch.randn(count, RANK), torch.randn(count, 2, 1, 1, 2)
    )
    expected = LowRankMultivariateNormal(
        mean.flatten(), factor.movedim(2, -1).reshape(4, RANK), deviation.flatten().square()
    )
    flat = drawn.flatten(1)
    assert flat.mean(0).tolist() == pytest.approx(expected.mean.tolist(), abs=0.05)
    largest = expected.covariance_matrix.abs().max()
    assert (flat.T.cov() - expected.covariance_matrix).abs().max() < 0.02 * largest


def test_channels_stand_for_the_whole_normal():
    torch.manual_seed(0)
    told = LogitNormal(
        torch.randn(2, 3, 4, 4, 4), torch.randn(2, 3, RANK, 4, 4, 4), torch.rand(2, 3, 4, 4, 4)
    )
    channels = torch.cat([told.mean, told.factor.flatten(1, 2), told.deviation], dim=1)
    again = LogitNormal.of_stacked(channels)
    assert all(torch.equal(one, other) for one, other in zip(told, again, strict=True))


def test_every_kind_begins_with_the_same_backbone_and_head(image):
    plain, *others = (built(kind).eval() for kind in (None, "dropout", "ssn"))
    assert [type(one) for one in (plain, *others)] == [
        Segmenter,
        DropoutSegmenter,
        StochasticSegmenter,
    ]
    for other in others:
        assert torch.equal(other(image), plain(image))


def test_dropout_hides_maps_and_features_in_training_alone(image):
    network = built("dropout").train()
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_the_normal_is_what_its_three_convolutions_say(image):
    network = built("ssn").eval()
    found, features = network.distribution(image), network.backbone(image)
    torch.testing.assert_close(found.mean, network.head(features))
    torch.testing.assert_close(found.factor.flatten(1, 2), network.factor(features))
    expected = network.diagonal(features).exp() + 1e-5
    torch.testing.assert_close(found.deviation.square(), expected)


@pytest.mark.parametrize("progress", [0.05, 0.5])
def test_its_heads_learn_as_three_convolutions_would(image, progress):
    network = built("ssn").train()
    network.at(progress)
    heads = [*network.head.parameters(), *network.diagonal.parameters()]
    heads += network.factor.parameters() if network.correlated else ()
    features = network.backbone(image)
    factor = network.factor(features) * network.correlated
    parts = network.head(features), factor, (network.diagonal(features).exp() + 1e-5).sqrt()
    expected = torch.autograd.grad(sum(part.square().sum() for part in parts), heads)
    found = torch.autograd.grad(network.stacked(image).square().sum(), heads)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_covariance_stays_finite_whatever_the_head_says(image):
    network = built("ssn")
    torch.nn.init.constant_(network.diagonal.bias, 1e4)
    assert torch.isfinite(network.distribution(image).deviation).all()
    torch.nn.init.constant_(network.diagonal.bias, -1e4)
    assert network.distribution(image).deviation.min().item() == pytest.approx(1e-5**0.5)


def test_the_factor_is_held_at_zero_while_the_mean_is_learnt(image):
    network = built("ssn")
    network.at(0.49)
    assert not network.distribution(image).factor.any()
    network.at(0.5)
    assert network.distribution(image).factor.any()


SMALLEST = [(name, next(iter(find_architecture(name).sizes))) for name in ARCHITECTURES.plugins()]


@pytest.mark.parametrize(("architecture", "size"), SMALLEST)
@pytest.mark.parametrize("kind", ["dropout", "ssn"])
def test_every_backbone_can_be_stochastic(architecture, size, kind):
    with torch.device("meta"):
        backbone = find_architecture(architecture).build(size, 1)
        network = segmenter_of(backbone, 2, kind).train()
        image = torch.empty(2, 1, *backbone.smallest_patch)
        logits = network.distribution(image).mean if kind == "ssn" else network(image)
    assert logits.shape == (2, 3, *backbone.smallest_patch)
