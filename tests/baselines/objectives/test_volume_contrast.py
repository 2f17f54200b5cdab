"""Volume contrast is VoCo's: crops are labelled by their overlap, a teacher gives the bases."""

import math

import pytest
import torch
from torch import nn
from voxbench.errors import SpecError
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.crops import crops_at
from voxbench_baselines.objectives.volume_contrast import (
    CropGrid,
    VolumeContrastObjective,
    alikeness,
    base_crops,
    best_constant,
    crop_grid,
    crop_overlaps,
    overlap_loss,
    random_starts,
    varied,
)
from voxbench_baselines.volume_contrast import VolumeContrast

from tests.baselines.objectives.learning import losses

NOTHING = torch.zeros(0)
CUT = CropGrid((2, 3, 1), (4, 2, 6))


def network(architecture: str = "unet", size: str = "tiny"):
    torch.manual_seed(0)
    return find_architecture(architecture).build(size, 1)


def objective(**options) -> VolumeContrastObjective:
    return VolumeContrastObjective(network(), VolumeContrast(**options))


@pytest.mark.parametrize(
    ("patch", "resampled", "crop"),
    [
        ((96, 96, 96), 0, (24, 24, 96)),
        ((40, 32, 32), 0, (8, 8, 32)),
        ((384, 384, 96), 64, (96, 96, 96)),
        ((30, 30, 7), 64, (7, 7, 7)),
    ],
)
def test_a_patch_is_cut_four_by_four_in_the_plane(patch, resampled, crop):
    assert crop_grid(patch, network(), 4, resampled) == CropGrid((4, 4, 1), crop)


def test_a_grid_never_shrinks_in_silence():
    with pytest.raises(SpecError, match=r"4 by 4 crops of \(0, 0, 16\) voxels.*at least 32.*bases"):
        crop_grid((16, 16, 16), network(), 4, 0)
    assert crop_grid((16, 16, 16), network(), 2, 0) == CropGrid((2, 2, 1), (8, 8, 16))
    with pytest.raises(SpecError, match="a single voxel at its coarsest level"):
        crop_grid((32, 32, 8), network(), 4, 0)


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


def test_labels_of_the_published_volume_by_hand():
    """96 voxels a crop: one that begins at (48, 24) lies half in two columns, 3 to 1 in rows."""
    cut = CropGrid((4, 4, 1), (96, 96, 96))
    labels = crop_overlaps(torch.tensor([[[48, 24, 0]]]), cut).view(4, 4)
    expected = torch.zeros(4, 4)
    expected[:2, :2] = torch.tensor([[0.375, 0.125], [0.375, 0.125]])
    torch.testing.assert_close(labels, expected)


def test_the_loss_by_hand():
    """One crop, half in the first base; similar 0.3 to it, 0.2 to a second half, 0.4 to a third."""
    overlaps, similar = torch.tensor([[[0.5, 0.5, 0, 0]]]), torch.tensor([[[0.3, 0.2, 0.4, 0]]])
    positive, negative = overlap_loss(overlaps, similar)
    assert positive.item() == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, abs=1e-5)
    assert negative.item() == pytest.approx((0.16 + 0) / 2, abs=1e-5)


def test_the_loss_is_that_of_the_released_code():
    """Written out as the paper's code defines it, a patch after the other."""
    torch.manual_seed(0)
    starts = random_starts(3, 4, CUT, torch.device("cpu"))
    overlaps, similar = crop_overlaps(starts, CUT), torch.rand(3, 4, 6)
    positives, negatives = [], []
    for labels, logits in zip(overlaps, similar, strict=True):
        weighted = [
            -y * math.log(1 - abs(y - s) + 1e-6)
            for y, s in zip(labels.flatten().tolist(), logits.flatten().tolist(), strict=True)
        ]
        positives.append(sum(weighted) / (float(labels.sum()) + 1e-6))
        others = [s**2 for y, s in zip(labels.flatten(), logits.flatten(), strict=True) if y == 0]
        negatives.append(float(sum(others)) / (len(others) + 1e-6))
    positive, negative = overlap_loss(overlaps, similar)
    assert positive.item() == pytest.approx(sum(positives) / 3, rel=1e-5)
    assert negative.item() == pytest.approx(sum(negatives) / 3, rel=1e-5)


def test_the_best_constant_is_no_worse_than_others():
    torch.manual_seed(0)
    overlaps = crop_overlaps(random_starts(1, 20_000, CUT, torch.device("cpu")), CUT)

    def loss(value):
        return sum(overlap_loss(overlaps, torch.full_like(overlaps, value))).item()

    best = best_constant(CUT)
    assert all(loss(best) < loss(value) for value in (0.0, best - 0.15, best + 0.15, 1.0))


def test_base_crops_that_look_alike_cost_one_and_right_or_blunt_angles_nothing():
    assert alikeness(torch.ones(1, 4, 1)).item() == pytest.approx(1)
    assert alikeness(torch.eye(4).unsqueeze(0)).item() == 0
    assert alikeness(torch.tensor([[[1.0, 0], [0.6, 0.8]]])).item() == pytest.approx(0.36)
    assert alikeness(torch.tensor([[[1.0, 0], [-0.6, 0.8]]])).item() == 0


def test_the_second_of_a_pair_takes_no_gradient():
    bases = torch.tensor([[[1.0, 0], [0.6, 0.8]]], requires_grad=True)
    alikeness(bases).backward()
    assert bases.grad[0, 0].any()
    assert not bases.grad[0, 1].any()


def test_the_projector_is_the_published_one_and_reads_every_scale():
    module = objective(width=5)
    kinds = [type(layer) for layer in module.student.projector]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU] * 2 + [nn.Linear]
    assert module.student.projector[0].in_features == sum(module.backbone.encoder.channels)
    norm = module.student.projector[1]
    assert (norm.affine, norm.track_running_stats) == (False, False)


def test_the_teacher_follows_by_a_tenth_and_takes_no_gradient():
    module = objective()
    own = dict(module.teacher.copy.named_parameters())
    before = {name: parameter.clone() for name, parameter in own.items()}
    with torch.no_grad():
        for parameter in module.student.parameters():
            parameter += 1.0
    module.before_step(0.0)
    for name, parameter in own.items():
        torch.testing.assert_close(parameter, before[name] + 0.1)
        assert not parameter.requires_grad


def test_student_and_teacher_share_no_tensor():
    module = objective()
    own = {id(parameter) for parameter in module.backbone.parameters()}
    assert own.isdisjoint(id(parameter) for parameter in module.teacher.parameters())
    assert own > {id(parameter) for parameter in module.student.encoder.parameters()}


def test_each_crop_is_changed_by_itself_and_keeps_its_voxels():
    torch.manual_seed(0)
    pieces = torch.arange(64.0).view(1, 1, 4, 4, 4).repeat(400, 1, 1, 1, 1)
    result = varied(pieces)
    order = result - result.flatten(1).amin(1).view(-1, 1, 1, 1, 1)
    torch.testing.assert_close(order.flatten(1).sort().values, pieces.flatten(1))
    same = (order == pieces).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(0.8**4, abs=0.06)
    shifts = result.flatten(1).amin(1)
    assert (shifts != 0).float().mean().item() == pytest.approx(0.1, abs=0.04)
    assert shifts.abs().max() <= 0.1 * 63


def test_only_the_encoder_is_trained():
    module = objective()
    total(module(torch.randn(2, 1, 32, 32, 32), NOTHING, NOTHING)).backward()
    assert all(p.grad is None for p in module.backbone.decoder.parameters())
    assert all(p.grad.any() for p in module.backbone.encoder.parameters())


def test_crops_are_resampled_where_that_is_asked_for():
    module, sizes = objective(crop=16), []
    module.backbone.encoder.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0]))
    module(torch.randn(1, 1, 20, 20, 20), NOTHING, NOTHING)
    assert sizes[0].shape == (4 + 16, 1, 16, 16, 16)


def test_it_learns_where_crops_lie():
    """Stripes of another frequency in each quarter of the plane tell where a crop is from."""
    images = torch.zeros(2, 1, 32, 32, 16)
    for quarter in range(4):
        x, y = 16 * (quarter // 2), 16 * (quarter % 2)
        stripes = torch.sin((0.4 + 0.7 * quarter) * torch.arange(16.0))
        images[:, :, x : x + 16, y : y + 16] = stripes
    torch.manual_seed(0)
    module = objective(bases=2, crops=8)
    first, last = losses(module, images + 0.05 * torch.randn_like(images), steps=40, rate=1e-3)
    assert last < 0.6 * first
    assert last < 0.15, "a constant gets 0.38"
