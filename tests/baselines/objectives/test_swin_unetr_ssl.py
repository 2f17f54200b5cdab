"""Turns are labelled, views are cut and told apart."""

import math

import pytest
import torch
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.masked import hidden_cubes
from voxbench_baselines.objectives.pooled import pooled
from voxbench_baselines.objectives.swin_unetr_ssl import (
    SwinUnetrSSLObjective,
    info_nce,
    randomly_turned,
    turning_plane,
)

from tests.baselines.objectives.learning import losses, waves

NOTHING = torch.zeros(0)


def objective() -> SwinUnetrSSLObjective:
    torch.manual_seed(0)
    return SwinUnetrSSLObjective(
        find_architecture("unet").build("tiny", 1), 1, cutout=0.3, temperature=0.5
    )


@pytest.mark.parametrize(
    ("shape", "plane", "step"),
    [
        ((8, 8, 8), (2, 3), 1),
        ((8, 8, 4), (2, 3), 1),
        ((4, 8, 8), (3, 4), 1),
        ((8, 4, 8), (2, 4), 1),
        ((4, 6, 8), (2, 3), 2),
    ],
)
def test_patches_turn_in_the_plane_of_equal_axes(shape, plane, step):
    assert turning_plane(shape) == (plane, step)


def test_the_label_says_how_often_the_patch_was_turned():
    torch.manual_seed(0)
    images = torch.randn(40, 2, 4, 4, 3)
    result, turns = randomly_turned(images)
    assert set(turns.tolist()) == {0, 1, 2, 3}
    for before, after, turn in zip(images, result, turns.tolist(), strict=True):
        assert torch.equal(after, torch.rot90(before, turn, (1, 2)))


def test_a_patch_with_three_different_axes_turns_by_half_alone():
    torch.manual_seed(0)
    images = torch.randn(40, 1, 2, 3, 4)
    result, turns = randomly_turned(images)
    assert result.shape == images.shape
    assert set(turns.tolist()) == {0, 2}
    assert torch.equal(result[turns == 2], images[turns == 2].flip((2, 3)))


def test_three_tenths_of_a_view_are_cut_out():
    module, views = objective(), torch.randn(3, 1, 32, 32, 32)
    changed = (module._cut(views) != views).float().mean((1, 2, 3, 4))
    assert changed.tolist() == pytest.approx([round(0.3 * 64) / 64] * 3, abs=1e-3)
    assert hidden_cubes(views, 0.3, 8).float().mean().item() == pytest.approx(19 / 64)


def test_the_contrast_by_hand():
    """Two patches whose views agree and are at right angles: -ln(e² / (e² + 2))."""
    vectors = torch.tensor([[1.0, 0], [0, 3], [2, 0], [0, 1]])
    expected = -math.log(math.e**2 / (math.e**2 + 2))
    assert info_nce(vectors, 0.5).item() == pytest.approx(expected)


def test_views_of_other_patches_cost_more():
    vectors = torch.tensor([[1.0, 0], [0, 1], [0, 1], [1.0, 0]])
    assert info_nce(vectors, 0.5) > info_nce(vectors[[0, 1, 3, 2]], 0.5)


def test_a_patch_is_summed_up_by_mean_and_maximum():
    features = torch.arange(16.0).view(1, 2, 2, 2, 2)
    assert pooled(features).tolist() == [[3.5, 11.5, 7.0, 15.0]]


def test_every_part_of_the_loss_is_trained():
    module = objective()
    total(module(torch.randn(2, 1, 32, 32, 32), NOTHING, NOTHING)).backward()
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())


def test_it_learns():
    first, last = losses(objective(), waves(2), steps=16)
    assert last < 0.8 * first
