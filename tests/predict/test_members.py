"""Members are accumulated block by block to what all of them at once give."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn
from voxbench.data.geometry import uncropped
from voxbench.design.recipe import Recipe
from voxbench.design.seeds import stream
from voxbench.errors import SpecError
from voxbench.model.stochastic import DropoutSegmenter, LogitNormal, StochasticSegmenter
from voxbench.plugins import find_architecture
from voxbench.predict.members import Subject, predict_members
from voxbench.predict.models import (
    Augmented,
    Dropout,
    Ensemble,
    Softmax,
    StochasticSegmentation,
)
from voxbench.predict.segmentation import segment
from voxbench.uncertainty.measures import Members

from tests.predict.test_segmentation import prepared
from tests.predict.whole import interpolated, whole_logits

RECIPE = Recipe(patch=(16, 16, 16))


def convolution(seed=0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Conv3d(2, 3, 3, padding=1)


def subject(*networks, spacing=(1.5, 1.0, 2.5), **told):
    case = prepared((30, 20, 24), spacing, "LPS")
    return Subject(networks, case, RECIPE, "cpu", **told)


def at_once(case, *runs):
    """What the members of these (network, image) give with all of them in memory."""
    found = Members(3, case.grid.cropped, by_class=True)
    for network, image in runs:
        logits = whole_logits(network, image, case.outside, RECIPE.patch, 0.5, 4)
        found.add(softmax(interpolated(logits, case.grid.cropped), axis=0))
    return found


def agree(found: Members, expected: Members) -> None:
    assert found.count == expected.count
    assert found.mean == pytest.approx(expected.mean, abs=1e-6)
    for one, other in zip(found.measures(), expected.measures(), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_softmax_is_one_member_whose_labels_are_the_prediction():
    told = subject(convolution())
    found = predict_members(Softmax(), told)
    agree(found, at_once(told.prepared, (told.networks[0], told.prepared.image)))
    assert not found.measures().mutual_information.any()
    label = uncropped(found.labels.astype(np.uint8), told.prepared.grid)
    differs = label != segment(told.networks[0], told.prepared, RECIPE, "cpu")
    assert differs.mean() < 1e-4  # where two probabilities are equal and their logits are not


def test_an_ensemble_is_the_mean_of_its_networks():
    told = subject(convolution(0), convolution(1), convolution(2))
    image = told.prepared.image
    found = predict_members(Ensemble(), told, by_class=True)
    expected = at_once(told.prepared, *((network, image) for network in told.networks))
    agree(found, expected)
    assert found.of_class(1).mutual_information.max() > 0
    for one, other in zip(found.of_class(1), expected.of_class(1), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_one_network_is_no_ensemble():
    with pytest.raises(SpecError, match="at least 2 seeds"):
        predict_members(Ensemble(), subject(convolution()))


@pytest.mark.parametrize(("mirrored", "members"), [((), 2), ((1,), 4), ((0, 1, 2), 16)])
def test_augmentation_at_test_time_mirrors_along_the_axes_that_it_may(mirrored, members):
    told = subject(convolution(), mirrored=mirrored)
    assert predict_members(Augmented(), told).count == members


def test_a_network_that_does_not_mind_mirrors_has_members_that_agree():
    told = subject(nn.Conv3d(2, 3, 1), mirrored=(0, 2))
    found = predict_members(Augmented(noise=0.0), told)
    assert found.measures().mutual_information.max() < 1e-5


@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf")])
def test_noise_that_is_none_is_refused(noise):
    with pytest.raises(ValueError, match="noise must be 0 or more"):
        Augmented(noise)


@pytest.mark.parametrize("model", [Dropout, StochasticSegmentation])
def test_no_member_is_refused_before_anything_is_trained(model):
    with pytest.raises(ValueError, match="members must be at least 1, got 0"):
        model(members=0)


def test_noise_is_drawn_once_for_all_its_members():
    told = subject(nn.Conv3d(2, 3, 1), mirrored=(0,))
    first, second = (predict_members(Augmented(), told).mean for _ in range(2))
    assert np.array_equal(first, second)
    assert predict_members(Augmented(), told).measures().mutual_information.max() > 1e-4


def test_mirroring_at_test_time_is_the_mean_of_the_logits():
    told = subject(convolution())
    image, network = told.prepared.image, told.networks[0]
    laid = told.prepared.outside, RECIPE.patch, 0.5, 4
    logits = whole_logits(lambda x: (network(x) + network(x.flip(3)).flip(3)) / 2, image, *laid)
    expected = interpolated(logits, told.prepared.grid.cropped).argmax(0)
    found = segment(network, told.prepared, RECIPE, "cpu", mirrored=(1,))
    assert np.mean(found != uncropped(expected.astype(np.uint8), told.prepared.grid)) < 1e-4


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(0)
    return find_architecture("unet").build("tiny", 2)


def test_dropout_goes_on_in_prediction_and_nowhere_else(backbone):
    network = DropoutSegmenter(backbone, 2)
    told = subject(network)
    found = predict_members(Dropout(members=3), told)
    assert found.count == 3
    assert found.measures().mutual_information.mean() > 1e-3
    assert np.array_equal(found.mean, predict_members(Dropout(members=3), told).mean)
    assert not np.array_equal(found.mean, predict_members(Dropout(3), told._replace(seed=1)).mean)
    plain = predict_members(Softmax(), told).mean
    assert np.array_equal(plain, predict_members(Softmax(), told).mean)


def test_dropout_needs_a_network_that_was_trained_with_it():
    with pytest.raises(SpecError, match=r"recipe\.stochastic"):
        predict_members(Dropout(), subject(convolution()))


def test_a_stochastic_network_draws_members_from_one_pass(backbone):
    network = StochasticSegmenter(backbone, 2)
    told, passes = subject(network, spacing=None), []
    network.register_forward_pre_hook(lambda *_: passes.append("mean"))
    network.backbone.register_forward_pre_hook(lambda *_: passes.append("features"))
    found = predict_members(StochasticSegmentation(members=4), told)
    assert found.count == 4
    assert set(passes) == {"features"}
    once = len(passes)
    predict_members(StochasticSegmentation(members=1), told)
    assert len(passes) == 2 * once
    assert found.measures().mutual_information.mean() > 1e-4
    assert np.array_equal(found.mean, predict_members(StochasticSegmentation(4), told).mean)


def test_what_all_voxels_share_is_one_draw_for_the_whole_case(backbone):
    """Without noise of its own a member is mean and factor, averaged over windows, and one z."""
    network = StochasticSegmenter(backbone, 2)
    nn.init.zeros_(network.diagonal.weight)
    nn.init.constant_(network.diagonal.bias, -40)  # a deviation of √1e-5
    told = subject(network)
    found = predict_members(StochasticSegmentation(members=1), told)
    case, network = told.prepared, network.eval()
    channels = whole_logits(network.stacked, case.image, case.outside, (16,) * 3, 0.5, 4)
    channels = torch.from_numpy(interpolated(channels, case.grid.cropped))[None]
    seed = stream("common", seed=stream("draw", seed=0, case=case.id, pair=0))
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn((1, 10), generator=generator)
    drawn = LogitNormal.of_stacked(channels).draw(common, torch.zeros(1, 3, *case.grid.cropped))
    assert found.mean == pytest.approx(drawn[0].softmax(0).detach().numpy(), abs=0.005)


def test_half_of_the_draws_mirror_the_others_at_the_mean(backbone):
    """Of two classes an even number of them has the mean's label, however unsure it is."""
    network = StochasticSegmenter(backbone, 1)
    nn.init.normal_(network.factor.weight, std=0.3)
    told = subject(network, spacing=None)
    found = predict_members(StochasticSegmentation(members=2), told)
    plain = segment(network, told.prepared, RECIPE, "cpu")
    assert 0 < plain.mean() < 1
    assert np.mean(uncropped(found.labels.astype(np.uint8), told.prepared.grid) != plain) < 1e-3
    assert found.measures().mutual_information.mean() > 0.1


def test_the_luck_of_a_draw_is_a_case_s_own(backbone, monkeypatch):
    told, model = subject(StochasticSegmenter(backbone, 1)), StochasticSegmentation(members=1)
    first = predict_members(model, told).mean
    monkeypatch.setattr(told.prepared, "id", "another")
    assert not np.allclose(first, predict_members(model, told).mean, atol=0.05)


def test_records_tell_the_passes_that_there_are(backbone):
    dropped, drawn = DropoutSegmenter(backbone, 2), StochasticSegmenter(backbone, 2)
    asked = [
        (Softmax(), [dropped]),
        (Ensemble(), [dropped, drawn, dropped]),
        (Dropout(members=3), [dropped]),
        (Augmented(), [dropped]),
        (StochasticSegmentation(), [drawn]),
    ]
    for model, networks in asked:
        told = subject(*networks, mirrored=(0, 2))
        assert len([*model.passes(told)]) == model.runs(len(networks), 2)


def test_a_stochastic_network_has_to_be_trained_as_one():
    with pytest.raises(SpecError, match=r"recipe\.stochastic"):
        predict_members(StochasticSegmentation(), subject(convolution()))
