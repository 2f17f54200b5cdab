"""Networks whose kernels and strides follow the voxel size."""

import re

import pytest
import torch
from voxbench.design.kernels import levels, scales
from voxbench.errors import SpecError
from voxbench.fit.supervision import DeeplySupervised
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_architecture

SHAPED = ["unet", "resenc-unet", "nnunet"]
THICK = (5.0, 0.8, 0.8)


def built(architecture, size="tiny", spacing=None):
    torch.manual_seed(0)
    return find_architecture(architecture).build(size, 1, spacing)


@pytest.mark.parametrize("architecture", SHAPED)
def test_voxels_that_are_nearly_cubes_give_the_network_as_it_is(architecture):
    plain, shaped = built(architecture), built(architecture, spacing=(1.0, 1.5, 1.9))
    state = shaped.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in plain.state_dict().items())
    image = torch.randn(1, 1, 32, 32, 32)
    with torch.no_grad():
        assert torch.equal(plain(image), shaped(image))


@pytest.mark.parametrize("architecture", SHAPED)
def test_maps_have_the_sides_that_the_strides_say(architecture):
    with torch.device("meta"):
        network = built(architecture, "base", THICK)
        image = torch.empty(1, 1, 8, 64, 64)
    expected = scales(levels(6, spacing=THICK))
    assert network.encoder.scales == expected
    assert network.multiples == (8, 32, 32)
    maps = network.encoder(image)
    assert [tuple(one.shape[2:]) for one in maps] == [
        tuple(n // m for n, m in zip((8, 64, 64), scale, strict=True)) for scale in expected
    ]
    pyramid = network.pyramid(image)
    assert [tuple(one.shape[1:]) for one in pyramid] == [
        (width, *(n // m for n, m in zip((8, 64, 64), scale, strict=True)))
        for width, scale in zip(network.decoder.widths, network.decoder.scales, strict=True)
    ]


@pytest.mark.parametrize("architecture", SHAPED)
def test_a_thick_slice_is_seen_alone_by_the_first_convolutions(architecture):
    network = built(architecture, spacing=THICK)
    kernels = [m.kernel_size for m in network.modules() if isinstance(m, torch.nn.Conv3d)]
    assert kernels[0] == (1, 3, 3)
    assert (3, 3, 3) in kernels


@pytest.mark.parametrize("architecture", SHAPED)
def test_all_of_it_learns_with_deep_supervision_too(architecture):
    network = DeeplySupervised(Segmenter(built(architecture, spacing=THICK), 1), seed=0)
    sum(logits.square().mean() for logits in network(torch.randn(2, 1, 8, 16, 16))).backward()
    loose = () if architecture == "unet" else ("bias",)
    assert all(
        p.grad is not None and (p.grad.any() or name.endswith(loose))
        for name, p in network.named_parameters()
    )


def test_a_patch_needs_the_multiples_of_each_axis():
    network = built("unet", spacing=THICK)
    network.check_patch((10, 16, 24))
    with pytest.raises(SpecError, match=re.escape("needs multiples of (2, 8, 8)")):
        network.check_patch((8, 16, 20))


def test_a_network_of_one_form_is_refused_in_words():
    with pytest.raises(SpecError, match="anisotropic: stunet has one form, whatever the voxels"):
        built("stunet", "small", THICK)
