"""Volume Fusion mixes boxes of one patch into another and asks for every voxel's share."""

import math

import pytest
import torch
from voxbench.design.recipe import Pretraining
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.volume_fusion import (
    VolumeFusionObjective,
    class_terms,
    fuse,
    random_classes,
)
from voxbench_baselines.volume_fusion import VolumeFusion

CPU = torch.device("cpu")
NOTHING = torch.zeros(0)


def test_a_voxel_of_class_k_takes_k_quarters_of_the_foreground():
    foreground, background = torch.full((1, 2, 5, 1, 1), 8.0), torch.full((1, 2, 5, 1, 1), 4.0)
    classes = torch.arange(5).view(1, 5, 1, 1)
    fused = fuse(foreground, background, classes, 4)
    assert fused[0, 0].flatten().tolist() == [4, 5, 6, 7, 8]
    assert torch.equal(fused[0, 0], fused[0, 1])


def test_each_patch_is_mixed_into_the_next_one():
    torch.manual_seed(0)
    module = VolumeFusionObjective(find_architecture("unet").build("tiny", 1), 1)
    seen = []
    module.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.arange(3.0).view(3, 1, 1, 1, 1).expand(3, 1, 16, 16, 16)
    module(images, NOTHING, NOTHING)
    assert [set(patch.unique().tolist()) for patch in seen[0]] == [{0, 1}, {1, 2}, {0, 2}]


def test_every_class_is_drawn_and_some_voxels_stay_uncovered():
    torch.manual_seed(0)
    classes = random_classes(20, (32, 24, 16), 4, CPU)
    assert classes.shape == (20, 32, 24, 16)
    shares = torch.bincount(classes.flatten(), minlength=5) / classes.numel()
    assert len(shares) == 5
    assert 0.2 < shares[0] < 0.5
    assert shares[1:].std() < 0.03


def test_patches_get_boxes_of_their_own_and_the_seed_decides_them():
    torch.manual_seed(3)
    classes = random_classes(2, (16, 16, 16), 4, CPU)
    torch.manual_seed(3)
    assert torch.equal(classes, random_classes(2, (16, 16, 16), 4, CPU))
    assert not torch.equal(classes[0], classes[1])


def test_a_later_box_covers_an_earlier_one(monkeypatch):
    """Boxes as large as the patch leave the class of the last one."""
    home = "voxbench_baselines.objectives.volume_fusion"
    monkeypatch.setattr(f"{home}._SHORTEST", 1)
    monkeypatch.setattr(f"{home}._LONGEST", 1)
    classes = random_classes(5, (4, 4, 4), 4, CPU)
    assert all(len(patch.unique()) == 1 and patch.min() > 0 for patch in classes)


def test_the_loss_by_hand():
    """Four voxels, of the classes 0, 0, 0, 1; a third class is not in sight."""
    classes = torch.tensor([0, 0, 0, 1]).view(1, 4, 1, 1)
    p = torch.tensor([0.5, 0.25, 0.25]).view(1, 3, 1, 1, 1).expand(1, 3, 4, 1, 1)
    terms = class_terms(p.log(), classes)
    dice = (2 * 1.5 / (2 + 3) + 2 * 0.25 / (1 + 1)) / 2
    assert terms["dice"].value.item() == pytest.approx(1 - dice, abs=1e-5)
    entropy = -(3 * math.log(0.5) + math.log(0.25)) / 4
    assert terms["entropy"].value.item() == pytest.approx(entropy)
    assert terms["dice"].trivial["share"].item() == pytest.approx(1 - (0.75 + 0.25) / 2, abs=1e-5)
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert terms["entropy"].trivial["share"].item() == pytest.approx(expected)


def test_right_answers_cost_nothing():
    classes = torch.randint(0, 5, (2, 4, 4, 4))
    sure = 50 * torch.nn.functional.one_hot(classes, 5).movedim(-1, 1).float()
    assert all(term.value.item() == pytest.approx(0, abs=1e-5) for term in
               class_terms(sure, classes).values())  # fmt: skip


def test_a_single_patch_is_refused():
    assert "batch = 1" in VolumeFusion().unfit_schedule(Pretraining(batch=1))
    assert VolumeFusion().unfit_schedule(Pretraining(batch=2)) is None
