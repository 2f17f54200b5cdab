"""CT-FM's encoder loads from each of its three files."""

import pytest
import torch
from monai.networks.nets import SegResNetDS
from monai.networks.nets.segresnet_ds import SegResEncoder
from safetensors.torch import save_file
from torch import nn
from voxbench.errors import WeightsError
from voxbench.plugins import find_architecture
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.ct_fm import CTFM

from tests.baselines.layouts import filled, loaded, names_of, probe, save, translated


class TestCTFM(BaselineChecks):
    baseline = CTFM(size="tiny")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return filled(SegResNetDS(init_filters=8, blocks_down=(1, 1, 1), dsdepth=2))


def encoder(network: nn.Module, prefix: str = "") -> dict[str, torch.Tensor]:
    return network.encoder.state_dict(prefix=prefix)


def test_the_feature_extractor_gives_the_maps_of_the_published_encoder(network, tmp_path):
    path = tmp_path / "extractor.safetensors"
    save_file(encoder(network), path)
    backbone, audit, _ = loaded(CTFM(size="tiny", weights=str(path)))
    assert (audit.loaded_share, audit.missing, audit.unused) == (1, [], [])
    published = SegResEncoder(init_filters=8, blocks_down=(1, 1, 1)).eval()
    published.load_state_dict(encoder(network))
    volume = probe(2, 1, 8, 16, 12)
    with torch.no_grad():
        for ours, theirs in zip(backbone.encoder(volume), published(volume), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_training_s_checkpoint_loses_its_projection(network, tmp_path):
    state = encoder(network, "model.backbone.")
    state |= {"model.projection_head.layers.0.weight": torch.ones(256, 512)}
    path = save(tmp_path / "epoch=449.ckpt", state, "state_dict")
    tensors, backbone = translated(CTFM(size="tiny", weights=path))
    assert names_of(backbone, "encoder.") == {n for n in tensors if "projection" not in n}


def test_the_untrained_decoder_is_left_out(network, tmp_path):
    path = tmp_path / "segresnet.safetensors"
    save_file(network.state_dict(), path)
    _, audit, _ = loaded(CTFM(size="tiny", weights=str(path)))
    assert audit.loaded_share == 1
    assert audit.loaded_total_share < 1
    assert audit.unused
    assert all(name.startswith("up_layers.") for name in audit.unused)


def test_a_file_of_the_other_segresnet_is_refused(tmp_path):
    path = save(
        tmp_path / "other.pth", find_architecture("segresnet").build("tiny", 1).encoder.state_dict()
    )
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(CTFM(size="tiny", weights=path))


def test_the_network_is_monai_s(network):
    backbone = find_architecture("segresnet-ds").build("tiny", 1).eval()
    state = network.state_dict()
    backbone.load_state_dict(
        {
            name if name.startswith("encoder.") else f"decoder.{name}": tensor
            for name, tensor in state.items()
            if ".head." not in name
        }
    )
    volume = probe(1, 1, 8, 8, 16)
    with torch.no_grad():
        logits = network.up_layers[-1]["head"](backbone(volume))
        torch.testing.assert_close(logits, network(volume), rtol=1e-4, atol=1e-4)


def test_its_size_is_the_published_one():
    """77M parameters; files of 311 MB and, with the decoder, 349 MB."""
    with torch.device("meta"):
        backbone = CTFM().backbone(1)
    sizes = [sum(p.numel() for p in part.parameters()) for part in (backbone.encoder, backbone)]
    assert [4 * size / 1e6 for size in sizes] == pytest.approx([311.0, 348.7], abs=0.1)
