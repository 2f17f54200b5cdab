"""Volume contrast labels crops by their overlap and tells positions."""

import math

import pytest
import torch
from voxbench.errors import SpecError
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.volume_contrast import (
    CropGrid,
    VolumeContrastObjective,
    alikeness,
    base_crops,
    crop_grid,
    crop_overlaps,
    crops_at,
    random_starts,
)

from tests.baselines.objectives.learning import losses, waves

NOTHING = torch.zeros(0)
CUT = CropGrid((2, 3, 1), (4, 2, 6))


def network(architecture: str = "unet", size: str = "tiny"):
    torch.manual_seed(0)
    return find_architecture(architecture).build(size, 1)


@pytest.mark.parametrize(
    ("patch", "grid", "crop"),
    [
        ((96, 96, 96), (4, 4, 1), (24, 24, 96)),
        ((64, 64, 32), (4, 4, 1), (16, 16, 32)),
        ((32, 32, 32), (2, 2, 2), (16, 16, 16)),
        ((40, 32, 32), (2, 2, 2), (16, 16, 16)),
        ((16, 16, 16), (2, 2, 1), (8, 8, 16)),
        ((8, 8, 32), (1, 1, 2), (8, 8, 16)),
    ],
)
def test_a_patch_is_cut_as_published_or_as_small_as_it_must(patch, grid, crop):
    assert crop_grid(patch, network()) == CropGrid(grid, crop)


def test_a_patch_that_cannot_be_cut_is_refused_with_the_way_out():
    with pytest.raises(SpecError, match=r"patch \(8, 8, 16\).*at least 16 voxels"):
        crop_grid((8, 8, 16), network())


def test_base_crops_lie_side_by_side():
    images = torch.randn(2, 3, 8, 6, 6)
    crops = base_crops(images, CUT).view(2, 2, 3, 1, 3, 4, 2, 6)
    for i in range(2):
        for j in range(3):
            expected = images[:, :, 4 * i : 4 * i + 4, 2 * j : 2 * j + 2]
            assert torch.equal(crops[:, i, j, 0], expected)


def test_random_crops_are_cut_where_they_begin():
    images = torch.randn(2, 3, 8, 6, 6)
    starts = random_starts(2, 5, CUT, torch.device("cpu"))
    crops = crops_at(images, starts, CUT.crop).view(2, 5, 3, *CUT.crop)
    for image in range(2):
        for place in range(5):
            x, y, z = starts[image, place].tolist()
            expected = images[image, :, x : x + 4, y : y + 2, z : z + 6]
            assert torch.equal(crops[image, place], expected)


def test_random_crops_reach_every_place_within_the_base_crops():
    torch.manual_seed(0)
    starts = random_starts(1, 2000, CUT, torch.device("cpu")).view(-1, 3)
    found = {tuple(start) for start in starts.tolist()}
    assert found == {(x, y, 0) for x in range(5) for y in range(5)}


def test_labels_are_the_shares_of_voxels_counted_one_by_one():
    torch.manual_seed(0)
    starts = random_starts(2, 6, CUT, torch.device("cpu"))
    labels = crop_overlaps(starts, CUT)
    numbers = torch.zeros(8, 6, 6, dtype=torch.long)
    for i in range(2):
        for j in range(3):
            numbers[4 * i : 4 * i + 4, 2 * j : 2 * j + 2] = 3 * i + j
    owners = numbers.expand(2, 1, 8, 6, 6)
    inside = crops_at(owners, starts, CUT.crop).view(2, 6, -1)
    counted = torch.stack([(inside == n).float().mean(2) for n in range(6)], dim=2)
    torch.testing.assert_close(labels, counted)
    torch.testing.assert_close(labels.sum(2), torch.ones(2, 6))


def test_base_crops_that_look_alike_cost_one_and_right_angles_nothing():
    assert alikeness(torch.ones(1, 4, 1)).item() == pytest.approx(1)
    assert alikeness(torch.eye(4).unsqueeze(0)).item() == 0
    pair = torch.tensor([[[1.0, 0], [0.6, 0.8]]])
    assert alikeness(pair).item() == pytest.approx(0.6)


def test_the_loss_where_all_crops_look_alike_by_hand(monkeypatch):
    """Every similarity is 1, so each base crop costs -ln(label), and the regulariser is 1."""
    module = VolumeContrastObjective(network(), crops=1, regularisation=2.0)
    torch.nn.init.zeros_(module.projector[2].weight)
    torch.nn.init.ones_(module.projector[2].bias)
    starts = torch.tensor([[[8, 8, 8]]])
    monkeypatch.setattr(
        "voxbench_baselines.objectives.volume_contrast.random_starts", lambda *_: starts
    )
    loss = total(module(torch.randn(1, 1, 32, 32, 32), NOTHING, NOTHING))
    assert loss.item() == pytest.approx(-math.log(1 / 8) + 2.0, rel=1e-4)


def test_only_the_encoder_is_trained():
    module = VolumeContrastObjective(network(), crops=4, regularisation=1.0)
    total(module(torch.randn(2, 1, 32, 32, 32), NOTHING, NOTHING)).backward()
    assert all(p.grad is None for p in module.backbone.decoder.parameters())
    assert all(p.grad.any() for p in module.backbone.encoder.parameters())


def test_it_learns_where_crops_lie():
    module = VolumeContrastObjective(network(), crops=4, regularisation=1.0)
    first, last = losses(module, waves(2), steps=40, rate=3e-3)
    assert last < 0.8 * first
