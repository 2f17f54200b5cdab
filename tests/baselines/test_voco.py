"""VoCo's files load into the second version of Swin UNETR."""

import pytest
import torch
from torch import nn
from voxbench.errors import WeightsError
from voxbench.model.heads import ConvolutionHead
from voxbench_baselines.voco import VoCo, VoComni

from tests.baselines.layouts import (
    assert_carried,
    filled,
    loaded,
    names_of,
    probe,
    save,
    translated,
)
from tests.model.swin import published_swin


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return filled(published_swin(out_channels=21, feature_size=12, use_v2=True))


def test_voco_fills_the_encoder_and_leaves_the_decoder(network, tmp_path):
    encoder = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.startswith(("decoder", "out."))
    }
    path = save(tmp_path / "VoCo.pt", encoder)
    tensors, backbone = translated(VoCo(size="tiny-v2", weights=path))
    assert_carried(tensors, backbone, network.state_dict())
    assert tensors.keys() == names_of(backbone, "encoder.")


@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_vocomni_gives_the_logits_of_the_published_network(network, tmp_path, wrapper):
    path = save(tmp_path / "VoComni.pt", network.state_dict(), wrapper)
    baseline = VoComni(size="tiny-v2", weights=path)
    tensors, backbone = translated(baseline)
    out = {"out.conv.conv.weight", "out.conv.conv.bias"}
    assert tensors.keys() - out == names_of(backbone)
    head = baseline.head(tensors, backbone)
    assert isinstance(head, ConvolutionHead)
    features = probe(1, 12, 2, 3, 4)
    torch.testing.assert_close(head(features, []), network.out(features))


def test_the_second_version_has_the_features_of_the_published_network(network, tmp_path):
    path = save(tmp_path / "VoComni.pt", network.state_dict())
    backbone, audit, _ = loaded(VoComni(size="tiny-v2", weights=path))
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    volume = probe(1, 1, 32, 32, 64)
    with torch.no_grad():
        assert torch.equal(network.out(backbone(volume)), network(volume))


def test_a_file_of_the_first_version_is_refused(tmp_path):
    first = published_swin(out_channels=21, feature_size=12)
    path = save(tmp_path / "first.pt", first.state_dict())
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(VoCo(size="tiny-v2", weights=path))


@pytest.mark.parametrize(
    ("size", "millions"), [("base-v2", 72.8), ("large-v2", 290.4), ("huge-v2", 1160.8)]
)
def test_its_sizes_are_the_published_ones(size, millions):
    """72M, 290M and 1.2B in the authors' table."""
    with torch.device("meta"):
        network = VoComni(size=size).backbone(1)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
    assert set(VoCo.checkpoints) == set(VoComni.checkpoints) == {"base-v2", "large-v2", "huge-v2"}
