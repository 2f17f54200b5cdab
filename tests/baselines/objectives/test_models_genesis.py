"""Models Genesis restores what it distorted, with the published shares."""

import pytest
import torch
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.models_genesis import ModelsGenesis
from voxbench_baselines.objectives.models_genesis import ModelsGenesisObjective

from tests.baselines.objectives.learning import losses, waves

NOTHING = torch.zeros(0)
OFF = {"nonlinear": 0.0, "shuffling": 0.0, "painting": 0.0, "inside": 0.2, "flipping": 0.0}
PUBLISHED = {"nonlinear": 0.9, "shuffling": 0.5, "painting": 0.9, "inside": 0.2, "flipping": 0.4}


def objective(**changes: float) -> ModelsGenesisObjective:
    torch.manual_seed(0)
    chances = ModelsGenesis(**{**OFF, **changes})
    return ModelsGenesisObjective(find_architecture("unet").build("tiny", 1), 1, chances)


def test_with_every_probability_at_zero_nothing_is_distorted():
    images = torch.randn(2, 1, 32, 32, 32)
    assert torch.equal(objective().distorted(images), images)


def test_four_fifths_of_the_painted_patches_are_painted_outside():
    """Out-painting hides more than half of a patch, in-painting less than a fifth."""
    images = torch.arange(16**3.0).view(1, 1, 16, 16, 16).repeat(400, 1, 1, 1, 1)
    torch.manual_seed(1)
    changed = objective(painting=0.9).distorted(images) != images
    shares = changed.float().mean((1, 2, 3, 4))
    assert (shares > 0.2).float().mean().item() == pytest.approx(0.9 * 0.8, abs=0.06)
    assert (shares == 0).float().mean().item() == pytest.approx(0.1 + 0.9 * 0.2 * 0.05, abs=0.04)


def test_the_seed_decides_the_distortion():
    images, module = torch.randn(2, 1, 32, 32, 32), objective(**PUBLISHED)
    torch.manual_seed(3)
    first = module.distorted(images)
    torch.manual_seed(3)
    assert torch.equal(module.distorted(images), first)
    assert not torch.equal(module.distorted(images), first)


def test_the_loss_is_the_mean_square_to_the_undistorted_patch():
    module = objective(painting=1.0, nonlinear=1.0)
    torch.nn.init.zeros_(module.head.weight)
    torch.nn.init.constant_(module.head.bias, 3.0)
    images = torch.randn(2, 1, 32, 32, 32)
    expected = (images - 3).square().mean().item()
    assert total(module(images, NOTHING, NOTHING)).item() == pytest.approx(expected, rel=1e-5)


def test_what_copying_and_the_mean_get_is_told_beside(monkeypatch):
    module, images = objective(), torch.randn(2, 1, 16, 16, 16)
    monkeypatch.setattr(module, "distorted", lambda images: images + 2)
    trivial = module(images, NOTHING, NOTHING)["restoration"].trivial
    assert trivial["copy"].item() == pytest.approx(4)
    assert trivial["mean"].item() == pytest.approx(images.var((2, 3, 4), False).mean().item())


def test_it_learns_to_restore():
    module = objective(**{**PUBLISHED, "nonlinear": 0.0})
    first, last = losses(module, waves(2, side=16), steps=40)
    assert last < 0.8 * first
