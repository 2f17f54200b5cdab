"""Images of random contrast follow the label map and nothing else."""

import math

import pytest
import torch
from voxbench.api import IGNORED
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.random_appearance import (
    RandomAppearanceObjective,
    draw_images,
    smooth_factor,
    standardised,
)


def halves(batch: int) -> torch.Tensor:
    labels = torch.zeros(batch, 16, 16, 16, dtype=torch.long)
    labels[:, 8:] = 1
    return labels


def test_each_value_of_each_patch_has_a_mean_and_deviation_within_synthseg_s_ranges():
    torch.manual_seed(0)
    labels = halves(50)
    drawn = draw_images(labels, 2)
    assert drawn.shape == (50, 2, 16, 16, 16)
    means, deviations = [], []
    for half in (drawn[:, :, :8], drawn[:, :, 8:]):
        means.append(half.mean((2, 3, 4)))
        deviations.append(half.std((2, 3, 4)))
    for found, (low, high) in ((means, (25, 225)), (deviations, (5, 25))):
        values = torch.stack(found)
        slack = 0.05 * (high - low)
        assert low - slack < values.min() < low + 2 * slack
        assert high - 2 * slack < values.max() < high + slack
        assert values.flatten().unique().numel() == 200


def test_contrast_says_nothing_of_which_class_it_is():
    torch.manual_seed(0)
    drawn = draw_images(halves(400), 1)
    brighter = drawn[:, :, :8].mean((1, 2, 3, 4)) > drawn[:, :, 8:].mean((1, 2, 3, 4))
    assert brighter.float().mean().item() == pytest.approx(0.5, abs=0.08)


def test_voxels_that_nobody_annotated_are_drawn_too():
    drawn = draw_images(torch.full((1, 8, 8, 8), IGNORED), 1)
    assert torch.isfinite(drawn).all()
    assert drawn.std() > 4


def test_the_source_s_images_are_not_looked_at():
    torch.manual_seed(0)
    module = RandomAppearanceObjective(find_architecture("unet").build("tiny", 1), 1, 0.5)
    labels, labelled = halves(2), torch.ones(2, 1, dtype=torch.bool)
    values = []
    for images in (torch.zeros(2, 1, 16, 16, 16), torch.randn(2, 1, 16, 16, 16)):
        torch.manual_seed(1)
        values.append(total(module(images, labels, labelled)).item())
    assert values[0] == values[1]


def test_a_field_changes_smoothly_within_its_limits():
    torch.manual_seed(0)
    factor = smooth_factor(torch.zeros(20, 2, 16, 16, 16), 0.5)
    assert factor.shape == (20, 1, 16, 16, 16)
    assert math.exp(-0.5) <= factor.min() < 0.75 < 1.3 < factor.max() <= math.exp(0.5)
    assert factor.log().diff(dim=2).abs().max() < 0.3
    assert torch.equal(smooth_factor(torch.zeros(1, 1, 8, 8, 8), 0), torch.ones(1, 1, 8, 8, 8))


def test_patches_end_with_mean_0_and_deviation_1():
    result = standardised(3 + 7 * torch.randn(2, 2, 8, 8, 8))
    torch.testing.assert_close(result.mean((2, 3, 4)), torch.zeros(2, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.std((2, 3, 4)), torch.ones(2, 2))
    assert torch.isfinite(standardised(torch.ones(1, 1, 4, 4, 4))).all()
