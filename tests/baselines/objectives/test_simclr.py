"""SimCLR tells the places of a batch apart by two views of each."""

import pytest
import torch
from voxbench.design.recipe import Pretraining
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.simclr import SimCLRObjective
from voxbench_baselines.simclr import SimCLR

NOTHING = torch.zeros(0)


def objective(**fields: int) -> SimCLRObjective:
    torch.manual_seed(0)
    return SimCLRObjective(find_architecture("unet").build("tiny", 1), SimCLR(**fields))


@pytest.mark.parametrize(("places", "others"), [(1, 3), (2, 7)])
def test_a_view_has_all_others_of_the_batch_to_choose_from(places, others):
    images = torch.randn(2, 1, 16, 16, 16)
    term = objective(places=places)(images, NOTHING, NOTHING)["contrast"]
    assert term.chance == 1 / others


def test_only_the_encoder_is_trained():
    module = objective()
    total(module(torch.randn(2, 1, 16, 16, 16), NOTHING, NOTHING)).backward()
    assert all(p.grad is None for p in module.backbone.decoder.parameters())
    assert all(p.grad.any() for p in module.backbone.encoder.parameters())


def test_what_leaves_nothing_to_compare_is_refused():
    assert "batch = 1" in SimCLR().unfit_schedule(Pretraining(batch=1))
    assert SimCLR(places=2).unfit_schedule(Pretraining(batch=1)) is None
    assert "crop = 64" in SimCLR(crop=64).unfit_schedule(Pretraining(patch=(64, 64, 32)))
