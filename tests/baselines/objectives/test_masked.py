"""Masked autoencoding hides whole cubes and is judged on them alone."""

import pytest
import torch
from voxbench.design.recipe import Pretraining
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
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


def test_the_mean_of_what_is_seen_is_told_beside():
    """Half of the cubes hold 1, half 3: what is seen says their mean, as far as both are seen."""
    images = torch.full((1, 1, 16, 16, 16), 1.0)
    images[..., 8:] = 3.0
    torch.manual_seed(0)
    hidden = hidden_cubes(images, 0.5, 8)
    guess = images[~hidden].mean()
    expected = (images[hidden] - guess).square().mean()
    module = objective(ratio=0.5)
    torch.manual_seed(0)
    term = module(images, NOTHING, NOTHING)["reconstruction"]
    assert term.trivial["mean of the visible"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("patch", "hides_all"),
    [((16, 16, 16), False), ((8, 8, 8), True), ((8, 8, 16), False), ((12, 8, 8), False)],
)
def test_cubes_that_hide_the_whole_patch_are_refused(patch, hides_all):
    reason = MaskedAutoencoder().unfit_schedule(Pretraining(patch=patch))
    assert bool(reason) == hides_all
    if reason:
        assert (
            "cubes of 8 voxels cut a patch of (8, 8, 8) into 1, and ratio = 0.6 hides 1" in reason
        )


def test_the_published_settings_are_those_of_nnssl():
    found = MaskedAutoencoder(recipe="published")
    assert (found.ratio, found.cube, found.schedule["patch"]) == (0.75, 16, (160, 160, 160))


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


def test_a_cube_may_have_unequal_sides():
    mask = hidden_cubes(torch.zeros(2, 1, 16, 16, 6), 0.5, (8, 8, 2))
    cubes = mask.view(2, 2, 8, 2, 8, 3, 2).permute(0, 1, 3, 5, 2, 4, 6).reshape(2, 12, -1)
    assert torch.equal(cubes.all(2), cubes.any(2)), "each is hidden as a whole, or seen"
    assert cubes.all(2).sum(1).tolist() == [6, 6]
    assert MaskedAutoencoder(cube=(8, 8, 2)).cube == (8, 8, 2)


@pytest.mark.parametrize("cube", [0, (8, 8), (8, 0, 2)])
def test_a_cube_has_a_side_or_three_of_at_least_a_voxel(cube):
    with pytest.raises(ValueError, match="cube must be a number of voxels from 1, or three"):
        MaskedAutoencoder(cube=cube)
