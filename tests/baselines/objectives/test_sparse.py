"""A dense encoder with a mask computes what a sparse one would."""

import pytest
import torch
from torch import nn
from voxbench.errors import SpecError
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.sparse import check_convolutional, enlarged, sparsely


def encoder(architecture: str, size: str) -> nn.Module:
    torch.manual_seed(0)
    return find_architecture(architecture).build(size, 1).encoder


def one_cell() -> torch.Tensor:
    """Of two by two by two cells the last one is seen."""
    seen = torch.zeros(1, 1, 2, 2, 2, dtype=torch.bool)
    seen[..., 1, 1, 1] = True
    return seen


@pytest.mark.parametrize(
    ("architecture", "size", "kind"),
    [("unet", "tiny", nn.InstanceNorm3d), ("segresnet", "tiny", nn.GroupNorm)],
)
def test_a_cell_alone_is_seen_as_if_the_image_ended_at_its_sides(architecture, size, kind):
    """The rest of the image may hold anything: it is the zero padding of the cell."""
    network = encoder(architecture, size)
    assert any(isinstance(layer, kind) for layer in network.modules())
    image = torch.randn(1, 1, 32, 32, 32)
    with sparsely(network, one_cell()):
        maps = network(image * enlarged(one_cell(), image.shape[2:]))
    for found, alone in zip(maps, network(image[..., 16:, 16:, 16:]), strict=True):
        side = alone.shape[-1]
        torch.testing.assert_close(found[..., side:, side:, side:], alone, rtol=1e-4, atol=1e-4)
        empty = found.clone()
        empty[..., side:, side:, side:] = 0
        assert not empty.any(), "nothing leaks into what is hidden"


def test_batch_norms_count_what_is_seen():
    norm = nn.BatchNorm3d(1)
    image = torch.zeros(2, 1, 2, 2, 2)
    image[:, :, 1, 1, 1] = torch.tensor([[1.0], [5.0]])
    with sparsely(norm, one_cell().expand(2, -1, -1, -1, -1)):
        normed = norm(image)
    assert normed[:, 0, 1, 1, 1].tolist() == pytest.approx([-1, 1], abs=1e-4)
    assert norm.running_mean.item() == pytest.approx(0.1 * 3)
    assert normed.count_nonzero() == 2


def test_the_encoder_is_dense_again_afterwards_whatever_happens():
    network, image = encoder("unet", "tiny"), torch.randn(1, 1, 16, 16, 16)
    before = network(image)[-1]
    with pytest.raises(RuntimeError), sparsely(network, one_cell()):
        raise RuntimeError
    assert torch.equal(network(image)[-1], before)


def test_a_mask_that_divides_no_map_is_refused():
    with pytest.raises(SpecError, match=r"\(5, 4, 4\) voxels can't be cut into the \(2, 2, 2\)"):
        enlarged(one_cell(), torch.Size((5, 4, 4)))


@pytest.mark.parametrize("architecture", ["swin-unetr", "primus", "mit"])
def test_networks_that_do_not_convolve_are_refused(architecture):
    with torch.device("meta"), pytest.raises(SpecError, match="take a convolutional architecture"):
        check_convolutional(encoder(architecture, "tiny"))
