"""Patches are turned by quarters, exactly."""

import pytest
import torch
from voxbench_baselines.objectives.swin_unetr_ssl import PLANES
from voxbench_baselines.objectives.turn import random_turns, turned, turning_plane


@pytest.mark.parametrize(
    ("shape", "plane", "step"),
    [
        ((8, 8, 8), (1, 2), 1),
        ((4, 8, 8), (1, 2), 1),
        ((8, 8, 4), (0, 1), 1),
        ((8, 4, 8), (0, 2), 1),
        ((4, 6, 8), (1, 2), 2),
    ],
)
def test_patches_turn_in_the_last_plane_of_equal_axes_by_half_where_there_is_none(
    shape, plane, step
):
    assert turning_plane(shape, PLANES) == (plane, step)


def test_each_patch_is_turned_by_its_own_quarters():
    images = torch.arange(5 * 2 * 3 * 4 * 4.0).view(5, 2, 3, 4, 4)
    result = turned(images, torch.tensor([0, 1, 2, 3, 1]), (1, 2))
    for before, after, quarters in zip(images, result, (0, 1, 2, 3, 1), strict=True):
        assert torch.equal(after, torch.rot90(before, quarters, (2, 3)))


def test_a_picture_and_its_labels_turn_alike():
    labels = torch.arange(2 * 4 * 4 * 3).view(2, 4, 4, 3)
    turns = torch.tensor([1, 3])
    assert torch.equal(
        turned(labels.unsqueeze(1), turns, (0, 1)).squeeze(1), turned(labels, turns, (0, 1))
    )


def test_one_to_three_quarters_as_often_as_asked_for_and_by_half_where_sides_differ():
    torch.manual_seed(0)
    turns, plane = random_turns(torch.zeros(6000, 1, 2, 2, 1), 0.3)
    assert plane == (0, 1)
    shares = torch.bincount(turns, minlength=4) / 6000
    assert shares.tolist() == pytest.approx([0.7, 0.1, 0.1, 0.1], abs=0.015)
    assert set(random_turns(torch.zeros(100, 1, 2, 3, 1), 0.5)[0].tolist()) == {0, 2}
