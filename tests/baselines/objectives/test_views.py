"""Views overlap by half and are changed each by itself, within nnU-Net's ranges."""

import pytest
import torch
from scipy.ndimage import gaussian_filter
from voxbench.errors import SpecError
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives import views
from voxbench_baselines.objectives.views import (
    bent,
    blurred,
    brighter,
    changed,
    contrasted,
    noisy,
    overlapping_starts,
    two_views,
    view_shape,
)


@pytest.fixture
def images():
    torch.manual_seed(0)
    return torch.randn(40, 2, 8, 10, 12)


@pytest.mark.parametrize(
    ("patch", "crop", "expected"),
    [
        ((32, 32, 32), 0, [24, 24, 24]),
        ((16, 16, 16), 0, [16, 16, 16]),
        ((64, 48, 32), 0, [48, 40, 24]),
        ((32, 32, 32), 16, [16, 16, 16]),
    ],
)
def test_views_are_three_quarters_of_the_patch_or_what_is_asked_for(patch, crop, expected):
    assert view_shape(patch, find_architecture("unet").build("tiny", 1), crop) == expected


@pytest.mark.parametrize("crop", [8, 12])
def test_views_that_the_network_cannot_be_trained_on_are_refused(crop):
    with pytest.raises(SpecError, match=r"views of .* voxels \(field `crop`\): patch"):
        view_shape((32, 32, 32), find_architecture("unet").build("tiny", 1), crop)


def test_two_crops_share_half_of_each_side_and_reach_the_ends():
    torch.manual_seed(0)
    first, second = overlapping_starts(torch.zeros(500, 1, 20, 10, 8), (8, 8, 8), 2)
    assert first.shape == second.shape == (500, 2, 3)
    apart = (first - second).abs()
    assert apart.amax((0, 1)).tolist() == [4, 2, 0]
    for starts in (first, second):
        assert starts.amin((0, 1)).tolist() == [0, 0, 0]
        assert starts.amax((0, 1)).tolist() == [12, 2, 0]


def test_views_of_a_place_stand_at_the_same_row(monkeypatch):
    monkeypatch.setattr(views, "changed", lambda crops: crops)
    images = torch.arange(3.0).view(3, 1, 1, 1, 1).expand(3, 1, 16, 16, 16)
    first, second = two_views(images, (8, 8, 8), 2)
    assert first.shape == (6, 1, 8, 8, 8)
    assert first[:, 0, 0, 0, 0].tolist() == second[:, 0, 0, 0, 0].tolist() == [0, 0, 1, 1, 2, 2]


def test_half_are_mirrored_along_each_axis_and_a_quarter_is_not_turned(monkeypatch):
    """Of the changes of intensity none, so that voxels move alone: 1/8 · 1/4 stay."""
    for name in ("noisy", "blurred", "brighter", "contrasted", "bent"):
        monkeypatch.setattr(views, name, lambda crops: crops)
    torch.manual_seed(0)
    crops = torch.arange(64.0).view(1, 1, 4, 4, 4).repeat(3000, 1, 1, 1, 1)
    result = changed(crops)
    assert torch.equal(result.flatten(1).sort().values, crops.flatten(1))
    # a half turn is two mirrors, so that each of both looks like a way to stay
    same = (result == crops).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(1 / 8 * (1 / 4 + 1 / 4), abs=0.015)


def test_each_view_is_changed_by_itself():
    torch.manual_seed(0)
    crops = torch.randn(1, 1, 8, 8, 8).repeat(30, 1, 1, 1, 1)
    result = changed(crops).flatten(1)
    assert len({tuple(view) for view in result.tolist()}) > 25


def test_noise_has_a_variance_of_up_to_a_tenth(images):
    added = (noisy(images) - images) / images.std((2, 3, 4), keepdim=True)
    variances = added.var((2, 3, 4))
    assert variances.min() > 0
    assert 0.08 < variances.max() < 0.115
    assert variances.mean().item() == pytest.approx(0.05, abs=0.015)


def test_blurring_is_that_of_scipy(images, monkeypatch):
    monkeypatch.setattr(views, "_between", lambda x, low, high: torch.full((len(x), 1), high))
    expected = gaussian_filter(images[3, 1].numpy(), 1.0, mode="nearest", radius=3)
    torch.testing.assert_close(blurred(images)[3, 1].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_brightness_is_one_factor_a_view(images):
    factors = (brighter(images) / images).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors))
    assert 0.75 <= factors.min() < 0.8 < 1.2 < factors.max() <= 1.25


def test_contrast_stays_within_the_range(images):
    result = contrasted(images)
    assert not torch.equal(result, images)
    assert (result.amax((2, 3, 4)) <= images.amax((2, 3, 4)) + 1e-5).all()
    assert (result.amin((2, 3, 4)) >= images.amin((2, 3, 4)) - 1e-5).all()


def test_a_gamma_curve_keeps_order_mean_and_deviation(images):
    result = bent(images)
    for measure in (torch.mean, torch.std):
        torch.testing.assert_close(measure(result, (2, 3, 4)), measure(images, (2, 3, 4)))
    order = images.flatten(2).argsort(2)
    assert (result.flatten(2).gather(2, order).diff() >= -1e-5).all()


def test_a_constant_view_stays_finite():
    flat = torch.full((20, 1, 8, 8, 8), 3.0)
    assert torch.isfinite(changed(flat)).all()
