"""Merlin's image encoder loads, and sees an isotropic volume as it saw thick slices."""

import pytest
import torch
from voxbench.errors import WeightsError
from voxbench_baselines.merlin import Merlin

from tests.baselines.layouts import loaded, names_of, probe, save
from tests.model import volumetric

UNITS = (2, 2, 2, 2)


def merlin_state() -> dict[str, torch.Tensor]:
    """The layout of the published file, with a ResNet-18 in place of the 152."""
    image = volumetric.resnet_state(UNITS, stem=(3, 3, 7, 7))
    image["classifier.weight"] = torch.ones(1692, 512, 1, 1, 1)
    image["contrastive_head.bias"] = torch.ones(512)
    text = {"encode_text.linear_layer.weight": torch.ones(512, 768), "logit_scale": torch.ones(())}
    return {f"encode_image.i3_resnet.{name}": tensor for name, tensor in image.items()} | text


def test_maps_are_the_published_network_s_on_slices_of_twice_the_thickness(tmp_path):
    path = save(tmp_path / "merlin.pt", merlin_state())
    backbone, audit, _ = loaded(Merlin(size="18", weights=path))
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert audit.unused == [
        *("classifier.weight", "contrastive_head.bias"),
        *("encode_text.linear_layer.weight", "logit_scale"),
    ]
    thick = probe(1, 1, 32, 64, 16)  # right, anterior, superior
    published = thick.permute(0, 1, 4, 2, 3).repeat(1, 3, 1, 1, 1)
    state = volumetric.resnet_state(UNITS, stem=(3, 3, 7, 7))
    with torch.no_grad():
        expected = volumetric.resnet(published, state, stem_stride=(1, 2, 2))
        slices = thick.permute(0, 1, 4, 2, 3).repeat_interleave(2, dim=2)
        maps = backbone.encoder(slices)
    for ours, theirs, stride in zip(maps, expected, (2, 4, 8, 16, 32), strict=True):
        assert ours.shape[2:] == (32 // stride, 32 // stride, 64 // stride)
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_two_channels_share_the_stem(tmp_path):
    path = save(tmp_path / "merlin.pt", merlin_state())
    baseline = Merlin(size="18", weights=path)
    with torch.device("meta"):
        backbone = baseline.backbone(2)
    published = volumetric.resnet_state(UNITS, stem=(3, 3, 7, 7))["conv1.weight"]
    stem = baseline.translate(merlin_state(), backbone)["encoder.conv1.weight"]
    assert stem.shape == backbone.encoder.conv1.weight.shape == (64, 2, 3, 7, 7)
    torch.testing.assert_close(stem.sum(1), published.sum(1))


def test_an_encoder_under_another_name_is_refused(tmp_path):
    state = {name.replace("i3_resnet", "resnet"): t for name, t in merlin_state().items()}
    path = save(tmp_path / "merlin.pt", state)
    with pytest.raises(WeightsError, match=r"only 0\.0% of the encoder's parameters fit"):
        loaded(Merlin(size="18", weights=path))


def test_the_published_depth_has_torchvision_s_names():
    units = (3, 8, 36, 3)
    with torch.device("meta"):
        backbone = Merlin().backbone(1)
    assert len(names_of(backbone, "encoder.")) == 6 * (1 + 3 * sum(units) + 4)
    assert backbone.encoder.conv1.weight.shape == (64, 1, 3, 7, 7)
    assert backbone.encoder.layer3[35].conv2.weight.shape == (256, 256, 3, 3, 3)
