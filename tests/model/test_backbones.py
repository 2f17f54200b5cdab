"""Every architecture gives features of every voxel, in stages, under its published names."""

import re
from functools import cache, partial

import pytest
import torch
from monai.networks.nets import SwinUNETR
from torch import nn
from voxbench.errors import PluginError, SpecError
from voxbench.model.backbones import Backbone, patch_merging
from voxbench.model.backbones.backbone import Encoder
from voxbench.model.backbones.decoder import UNetDecoder
from voxbench.model.backbones.patch_merging import PatchMerging
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import ARCHITECTURES, find_architecture

from tests.model import flat
from tests.model.swin import published_swin

KNOWN = {name: ARCHITECTURES.find(name) for name in ARCHITECTURES.plugins()}
SMALLEST = [(name, next(iter(one.sizes))) for name, one in KNOWN.items()]
ALL = [(name, size) for name, one in KNOWN.items() for size in one.sizes]


def made(architecture: str, size: str, channels: int = 1, seed: int = 0) -> Backbone:
    torch.manual_seed(seed)
    return find_architecture(architecture).build(size, channels)


@cache
def shapes(architecture: str, size: str) -> Backbone:
    """A network for its shapes and names, without memory."""
    with torch.device("meta"):
        return find_architecture(architecture).build(size, 1)


@pytest.mark.parametrize(("architecture", "size"), SMALLEST)
def test_features_have_the_resolution_of_the_image(architecture, size):
    backbone = made(architecture, size, channels=2).eval()
    image = torch.randn(1, 2, *backbone.smallest_patch)
    with torch.no_grad():
        maps = backbone.encoder(image)
        features = backbone.decoder(maps)
    assert features.shape == (1, backbone.out_channels, *image.shape[2:])
    encoder = backbone.encoder
    for found, channels, stride in zip(maps, encoder.channels, encoder.strides, strict=True):
        expected = [side // stride for side in image.shape[2:]]
        if architecture == "stunet" and stride == encoder.strides[-1]:
            expected[:2] = [2 * side for side in expected[:2]]  # its last pooling is along one axis
        if architecture == "mit":
            expected[0] *= 2  # its stem keeps the first axis
        if architecture == "slice-vit":
            expected[0] = image.shape[2]  # every slice has its own map
        assert found.shape == (1, channels, *expected)


@pytest.mark.parametrize(("architecture", "size"), ALL)
def test_every_parameter_lies_in_one_stage_from_the_stem_to_the_last(architecture, size):
    backbone = shapes(architecture, size)
    stages = backbone.stages()
    held = [
        [name for name, _ in backbone.named_parameters() if name.startswith(stage)]
        for stage in stages
    ]
    names = [name for name, _ in backbone.named_parameters()]
    assert sorted(name for stage in held for name in stage) == sorted(names)
    assert all(held), "a stage without parameters"
    parts = [stage[0].partition(".")[0] for stage in stages]
    assert parts == sorted(parts, key=["encoder", "decoder"].index)


@pytest.mark.parametrize(
    ("architecture", "size"),
    [("unet", "tiny"), ("segresnet", "tiny"), ("efficientnet-lite0", "lite0")],
)
def test_a_seed_gives_its_weights(architecture, size):
    first, again, other = (made(architecture, size, seed=seed) for seed in (0, 0, 1))
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize("architecture", ["unet", "resenc-unet", "segresnet"])
def test_a_training_step_reaches_every_parameter(architecture):
    network = Segmenter(made(architecture, "tiny"), 2)
    logits = network(torch.randn(2, 1, 16, 16, 16))
    assert logits.shape == (2, 3, 16, 16, 16)
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


def test_unknown_names_get_the_nearest():
    with pytest.raises(PluginError, match=r"unknown architecture 'unett'\. Did you mean 'unet'"):
        find_architecture("unett").build("tiny", 1)
    with pytest.raises(SpecError, match=r"unknown size of unet 'tin'\. Did you mean 'tiny'"):
        find_architecture("unet").build("tin", 1)


def test_a_patch_that_does_not_halve_often_enough_is_refused():
    backbone = shapes("unet", "tiny")
    backbone.check_patch((32, 40, 48))
    with pytest.raises(SpecError, match=re.escape("(32, 36, 48): this network needs multiples")):
        backbone.check_patch((32, 36, 48))


def test_a_patch_that_shrinks_to_a_voxel_is_refused_where_instance_norm_sees_it():
    swin = shapes("swin-unetr", "tiny")
    with pytest.raises(SpecError, match="make one axis at least 64"):
        swin.check_patch((32, 32, 32))
    swin.check_patch((32, 32, 64))
    shapes("efficientnet-lite0", "lite0").check_patch((32, 32, 32))


@pytest.mark.parametrize(("architecture", "size"), ALL)
def test_the_smallest_patch_passes_its_own_check(architecture, size):
    backbone = shapes(architecture, size)
    backbone.check_patch(backbone.smallest_patch)


class Maps(Encoder):
    """Says its widths and strides, no more."""


@pytest.mark.parametrize(
    ("channels", "strides", "widths"),
    [
        ((32, 64, 128, 256), (1, 2, 4, 8), [128, 64, 32]),
        ((64, 256, 512, 1024, 2048), (2, 4, 8, 16, 32), [320, 256, 128, 64]),
        ((16, 24, 40, 112, 320), (2, 4, 8, 16, 32), [160, 80, 40, 20]),
    ],
)
def test_the_decoder_is_as_wide_as_its_rule_says(channels, strides, widths):
    decoder = UNetDecoder(channels, [(n, n, n) for n in strides])
    assert [block[0].out_channels for block in decoder.blocks] == widths
    assert decoder.out_channels == (widths[-1] if strides[0] == 1 else widths[-1] // 2)


def test_segresnet_is_monai_s_under_its_own_names():
    from monai.networks.nets import SegResNet

    torch.manual_seed(0)
    published = SegResNet(
        init_filters=16, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1), out_channels=32
    ).eval()
    backbone = made("segresnet", "small", seed=1).eval()
    down = ("convInit.", "down_layers.")
    state = {
        f"{'encoder' if name.startswith(down) else 'decoder'}.{name}": tensor
        for name, tensor in published.state_dict().items()
        if not name.startswith("conv_final.2.")
    }
    backbone.load_state_dict(state)
    volume = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(published.conv_final[2](backbone(volume)), published(volume))


@pytest.mark.parametrize(
    ("architecture", "network"),
    [("swin-unetr", published_swin), ("swin-unetr-distinct", partial(SwinUNETR, in_channels=1))],
)
@pytest.mark.parametrize(("size", "v2"), [("tiny", False), ("tiny-v2", True)])
def test_swin_unetr_is_monai_s_of_its_time_under_its_own_names(architecture, network, size, v2):
    torch.manual_seed(0)
    published = network(out_channels=2, feature_size=12, use_v2=v2).eval()
    backbone = made(architecture, size, seed=1).eval()
    up = ("decoder",)
    state = {
        f"{'decoder' if name.startswith(up) else 'encoder'}.{name}": tensor
        for name, tensor in published.state_dict().items()
        if not name.startswith("out.")
    }
    backbone.load_state_dict(state)
    volume = torch.randn(1, 1, 32, 32, 64)
    with torch.no_grad():
        assert torch.equal(published.out(backbone(volume)), published(volume))


def test_a_map_with_odd_axes_is_merged_as_if_zeros_followed():
    for name in ("PUBLISHED", "DISTINCT"):
        merge = PatchMerging(getattr(patch_merging, name), 2, nn.LayerNorm, 3)
        x = torch.randn(1, 3, 5, 4, 2)
        padded = torch.zeros(1, 4, 6, 4, 2)
        padded[:, :3, :5] = x
        assert torch.equal(merge(x), merge(padded))
        assert merge(x).shape == (1, 2, 3, 2, 4)


def test_a_window_s_features_do_not_depend_on_its_batch_with_models_genesis_norm():
    backbone = made("unet3d", "tiny").eval()
    windows = torch.randn(3, 1, 16, 16, 16) * torch.tensor([1.0, 5.0, 0.2]).view(3, 1, 1, 1, 1)
    with torch.no_grad():
        alone = torch.cat([backbone(window.unsqueeze(0)) for window in windows])
        torch.testing.assert_close(backbone(windows), alone)
        torch.testing.assert_close(backbone.train()(windows[:1]), alone[:1])
        assert not torch.allclose(backbone(windows), alone, atol=0.1)


def test_resnet_has_the_names_of_torchvision_s_file():
    names = {f"encoder.{name}" for name in flat.resnet18_state() if not name.startswith("fc.")}
    state = shapes("resnet", "18").state_dict()
    assert names == {name for name in state if name.startswith("encoder.")}


@pytest.mark.parametrize(
    ("architecture", "size", "millions"),
    [
        ("resnet", "50", 46.16),
        ("segresnet", "small", 4.70),
        ("swin-unetr", "base", 62.19),
        ("unet3d", "base", 19.08),
    ],
)
def test_networks_have_their_published_size(architecture, size, millions):
    """SegResNet, Swin UNETR and the U-Net as SuPreM lists them; ResNet-50 3D without head."""
    backbone = shapes(architecture, size)
    module = backbone.encoder if architecture == "resnet" else backbone
    assert sum(p.numel() for p in module.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)
