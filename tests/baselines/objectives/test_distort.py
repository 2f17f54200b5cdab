"""Distortions bend, shuffle, paint and mirror as published, each patch in its own way."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from voxbench_baselines.objectives.distort import (
    bezier,
    flipped_at_random,
    happens,
    in_painted,
    interpolated,
    nonlinear,
    out_painted,
    random_blocks,
    shuffled,
    windows,
)

CPU = torch.device("cpu")


def ramp(*shape: int) -> torch.Tensor:
    """Every voxel another value."""
    size = torch.Size(shape)
    return torch.arange(size.numel(), dtype=torch.float32).view(size)


@given(st.tuples(*[st.floats(0, 1)] * 4))
def test_a_curve_goes_from_corner_to_corner_and_never_back(controls):
    x, y = bezier(torch.tensor(controls).view(2, 1, 2))
    for curve in (x, y):
        assert curve[0, 0] == 0
        assert curve[0, -1] == pytest.approx(1)
        assert (curve.diff() > -1e-6).all()


def test_the_middle_of_a_curve_by_hand():
    """At t = 1/2 the inner points weigh 3/8 each and the end 1/8."""
    t = torch.linspace(0, 1, 512)
    x, y = bezier(torch.tensor([[[0.2, 0.4]], [[1.0, 0.0]]]))
    middle = (t - 0.5).abs().argmin()
    assert x[0, middle].item() == pytest.approx(0.375 * 0.6 + 0.125, abs=2e-3)
    assert y[0, middle].item() == pytest.approx(0.375 + 0.125, abs=2e-3)


def test_inner_points_on_the_diagonal_change_nothing():
    x, y = bezier(torch.tensor([1 / 3, 2 / 3]).expand(2, 1, 2))
    values = torch.rand(1, 100)
    torch.testing.assert_close(interpolated(values, x, y), values)


def test_interpolation_agrees_with_numpy():
    import numpy as np

    torch.manual_seed(0)
    x, y = bezier(torch.rand(2, 3, 2))
    values = torch.rand(3, 200)
    expected = [np.interp(v, a, b) for v, a, b in zip(values, x, y, strict=True)]
    np.testing.assert_allclose(interpolated(values, x, y), expected, atol=1e-5)


def test_bending_keeps_or_turns_the_order_of_intensities_and_their_range():
    torch.manual_seed(0)
    images = torch.randn(40, 2, 4, 4, 4) * 7 - 3
    changed = nonlinear(images)
    turns = []
    for before, after in zip(images.flatten(0, 1), changed.flatten(0, 1), strict=True):
        ordered = after.flatten()[before.flatten().argsort()]
        rises, falls = (ordered.diff() >= -1e-4).all(), (ordered.diff() <= 1e-4).all()
        assert rises or falls
        turns.append(bool(falls))
        torch.testing.assert_close(after.aminmax(), before.aminmax(), rtol=0, atol=1e-3)
    assert 20 < sum(turns) < 60  # half of 80


def test_a_constant_patch_stays_finite():
    images = torch.full((1, 1, 8, 8, 8), 3.0)
    for change in (nonlinear, in_painted, out_painted, shuffled):
        torch.testing.assert_close(change(images), images, rtol=0, atol=1e-5)


def test_windows_are_boxes_of_at_most_a_tenth_of_the_side():
    torch.manual_seed(0)
    ids = windows(2, (32, 40, 16), CPU)
    assert ids.shape == (2, 32, 40, 16)
    for patch in ids:
        for number in patch.unique()[:50]:
            places = (patch == number).nonzero()
            extent = places.amax(0) - places.amin(0) + 1
            assert (extent <= torch.tensor([3, 4, 2])).all()
            assert len(places) == extent.prod()


def test_shuffling_keeps_the_voxels_of_every_window():
    images = ramp(2, 3, 20, 20, 20)
    torch.manual_seed(4)
    ids = windows(2, (20, 20, 20), CPU)
    torch.manual_seed(4)
    changed = shuffled(images)
    assert not torch.equal(changed, images)
    for before, after, boxes in zip(images, changed, ids, strict=True):
        for channel in range(3):
            for number in boxes.unique()[::37]:
                inside = boxes == number
                kept = before[channel][inside].sort().values
                assert torch.equal(after[channel][inside].sort().values, kept)


def test_channels_are_shuffled_alike():
    images = ramp(1, 1, 16, 16, 16).repeat(1, 2, 1, 1, 1)
    changed = shuffled(images)
    assert torch.equal(changed[:, 0], changed[:, 1])


def test_in_painting_hides_up_to_five_blocks_inside():
    torch.manual_seed(0)
    images = ramp(100, 1, 32, 32, 32)
    hidden = (in_painted(images) != images).squeeze(1)
    shares = hidden.float().mean((1, 2, 3))
    assert shares.max() <= 5 * (10 / 32) ** 3
    assert (shares == 0).float().mean() == pytest.approx(0.05, abs=0.05)
    border = hidden.clone()
    border[:, 3:-3, 3:-3, 3:-3] = False
    assert not border.any()


def test_out_painting_keeps_a_block_at_least():
    torch.manual_seed(0)
    images = ramp(50, 1, 32, 32, 32)
    kept = (out_painted(images) == images).float().mean((1, 2, 3, 4))
    assert kept.min() >= (14 / 32) ** 3 * 0.99
    assert kept.max() < 0.8


def test_paint_lies_in_the_range_of_the_patch():
    torch.manual_seed(0)
    images = torch.randn(3, 1, 16, 16, 16) + 10
    painted = out_painted(images)
    assert painted.min() >= images.min()
    assert painted.max() <= images.max()
    assert painted.std() > 0.5


@pytest.mark.parametrize("side", [8, 9, 16, 33])
def test_blocks_fit_into_patches_of_any_size(side):
    torch.manual_seed(0)
    mask = random_blocks(
        torch.zeros(64, 1, side, side, 8), [(side // 6, side // 3)] * 2 + [(1, 8)], 5, 1
    )
    assert mask.flatten(1).any(1).all()


def test_mirroring_happens_in_two_patches_of_five_and_keeps_every_voxel():
    torch.manual_seed(0)
    images = ramp(1, 1, 3, 3, 3).repeat(2000, 1, 1, 1, 1)
    changed = flipped_at_random(images, 0.4)
    assert torch.equal(changed.flatten(1).sort().values, images.flatten(1))
    # mirrored once more along the same axis is as before: 0.4 - 0.4²·(1 - 0.4)/3 - 0.4³·…
    share = (changed != images).flatten(1).any(1).float().mean().item()
    assert share == pytest.approx(0.4 - 0.16 * 0.6 / 3, abs=0.03)


def test_a_probability_is_the_share_of_patches():
    torch.manual_seed(0)
    assert happens(5000, 0.9, CPU).float().mean().item() == pytest.approx(0.9, abs=0.02)
    assert not happens(100, 0.0, CPU).any()
    assert happens(100, 1.0, CPU).all()
