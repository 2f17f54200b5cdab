"""Masked autoencoding hides whole cubes and is judged on them alone."""

import pytest
import torch
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.masked import MaskedAutoencoderObjective, hidden_cubes

NOTHING = torch.zeros(0)


def objective(ratio: float = 0.6, channels: int = 1) -> MaskedAutoencoderObjective:
    torch.manual_seed(0)
    backbone = find_architecture("unet").build("tiny", channels)
    return MaskedAutoencoderObjective(backbone, channels, ratio, cube=8)


@pytest.mark.parametrize("ratio", [0.25, 0.6, 0.75])
def test_every_image_hides_the_same_number_of_whole_cubes(ratio):
    mask = hidden_cubes(torch.zeros(3, 2, 32, 32, 16), ratio, cube=8)
    assert mask.shape == (3, 1, 32, 32, 16)
    cubes = mask.view(3, 4, 8, 4, 8, 2, 8).float().mean(dim=(2, 4, 6))
    assert set(cubes.unique().tolist()) == {0.0, 1.0}
    assert cubes.sum(dim=(1, 2, 3)).tolist() == [round(ratio * 32)] * 3


def test_images_hide_different_cubes_and_the_seed_decides_which():
    images = torch.zeros(2, 1, 32, 32, 32)
    torch.manual_seed(1)
    first = hidden_cubes(images, 0.5, 8)
    torch.manual_seed(1)
    assert torch.equal(first, hidden_cubes(images, 0.5, 8))
    assert not torch.equal(first[0], first[1])


def test_a_patch_that_is_no_multiple_of_the_cube_is_covered():
    mask = hidden_cubes(torch.zeros(1, 1, 20, 12, 9), 0.5, cube=8)
    assert mask.shape == (1, 1, 20, 12, 9)
    assert 0 < mask.float().mean() < 1


def test_the_loss_is_the_mean_square_of_the_hidden_voxels():
    module = objective()
    torch.nn.init.zeros_(module.head.weight)
    torch.nn.init.constant_(module.head.bias, 3.0)
    images = torch.full((2, 1, 32, 32, 32), 1.0)
    assert total(module(images, NOTHING, NOTHING)).item() == pytest.approx(4.0)


def test_the_network_does_not_see_what_it_must_predict():
    """What lies under the mask changes the goal and not the prediction."""
    module = objective()
    torch.nn.init.zeros_(module.head.bias)
    images = torch.randn(1, 1, 32, 32, 32)
    torch.manual_seed(2)
    hidden = hidden_cubes(images, module.ratio, module.cube)
    seen = []
    module.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for content in (images, images + 5 * hidden):
        torch.manual_seed(2)
        module(content, NOTHING, NOTHING)
    assert torch.equal(seen[0], seen[1])
    assert (seen[0][hidden] == 0).all()
    assert torch.equal(seen[0][~hidden], images[~hidden])


def test_it_learns_to_fill_in():
    torch.manual_seed(0)
    module = objective()
    images = torch.sin(torch.arange(32) / 5).view(1, 1, 32, 1, 1).expand(2, 1, 32, 32, 32)
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        loss = total(module(images, NOTHING, NOTHING))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
