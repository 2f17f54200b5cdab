"""SparK encodes what is seen alone, and is judged on what is hidden."""

import pytest
import torch
from voxbench.errors import SpecError
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.spark import Densify, SparKObjective
from voxbench_baselines.objectives.sparse import enlarged

NOTHING = torch.zeros(0)


def objective(ratio: float = 0.6) -> SparKObjective:
    torch.manual_seed(0)
    return SparKObjective(find_architecture("unet").build("tiny", 1), 1, ratio)


def test_every_image_shows_the_same_number_of_the_coarsest_map_s_voxels():
    seen = objective(0.75).seen_cells(torch.zeros(3, 1, 32, 32, 16))
    assert seen.shape == (3, 1, 4, 4, 2)
    assert seen.sum((1, 2, 3, 4)).tolist() == [8, 8, 8]
    assert not torch.equal(seen[0], seen[1])


def test_what_is_hidden_changes_the_goal_and_not_the_prediction():
    module = objective()
    images = torch.randn(1, 1, 32, 32, 32)
    torch.manual_seed(1)
    hidden = ~enlarged(module.seen_cells(images), images.shape[2:])
    decoded = []
    module.head.register_forward_hook(lambda _, __, output: decoded.append(output))
    values = []
    for content in (images, images + 5 * hidden):
        torch.manual_seed(1)
        values.append(module(content, NOTHING, NOTHING)["reconstruction"].value.item())
    assert torch.equal(decoded[0], decoded[1])
    assert values[1] > values[0] + 10


def test_the_loss_is_the_mean_square_of_the_hidden_voxels():
    module = objective()
    torch.nn.init.zeros_(module.head.weight)
    torch.nn.init.constant_(module.head.bias, 3.0)
    term = module(torch.full((2, 1, 32, 32, 32), 1.0), NOTHING, NOTHING)["reconstruction"]
    assert term.value.item() == pytest.approx(4.0)
    assert term.trivial["mean of the visible"].item() == pytest.approx(0.0)


def test_tokens_stand_where_nothing_is_seen_and_norms_leave_that_out():
    fill = Densify(1, torch.nn.Identity())
    torch.nn.init.constant_(fill.token, 7.0)
    features = torch.tensor([1.0, 3.0, 0.0, 0.0]).view(1, 1, 4, 1, 1)
    seen = torch.tensor([True, True, False, False]).view(1, 1, 4, 1, 1)
    assert fill(features, seen).flatten().tolist() == pytest.approx([-1, 1, 7, 7], abs=1e-4)


def test_encoder_decoder_tokens_and_projections_are_trained():
    module = objective()
    total(module(torch.randn(2, 1, 32, 32, 32), NOTHING, NOTHING)).backward()
    assert all(p.grad is not None for p in module.parameters())
    assert all(fill.token.grad.any() for fill in module.fills)


@pytest.mark.parametrize(("side", "ratio"), [(8, 0.6), (16, 0.9)])
def test_a_patch_that_shows_too_little_is_refused(side, ratio):
    with pytest.raises(SpecError, match=r"spark hides \d of \d voxels .* larger or `ratio` smal"):
        objective(ratio)(torch.zeros(1, 1, side, side, side), NOTHING, NOTHING)
