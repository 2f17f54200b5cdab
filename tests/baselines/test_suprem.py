"""SuPreM's files load into their networks, whole, and their heads give what they gave there."""

import pytest
import torch
from monai.networks.nets import SegResNet
from torch import nn
from voxbench.errors import WeightsError
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.suprem import SuPreMSegResNet, SuPreMSwinUNETR, SuPreMUNet
from voxbench_baselines.universal_model import UNIVERSAL_OUTPUTS, UniversalModelUNet

from tests.baselines.layouts import filled, loaded, probe, renamed, save
from tests.model import controller, genesis
from tests.model.swin import published_swin


def segresnet(outputs: int = 32) -> SegResNet:
    torch.manual_seed(0)
    return filled(
        SegResNet(
            init_filters=16,
            in_channels=1,
            out_channels=outputs,
            blocks_down=(1, 2, 2, 4),
            blocks_up=(1, 1, 1),
        )
    )


def swin_unetr() -> nn.Module:
    """The published architecture at the smallest width."""
    torch.manual_seed(0)
    return filled(published_swin(out_channels=2, feature_size=12))


def swin_state() -> dict[str, torch.Tensor]:
    """The layout of `supervised_suprem_swinunetr_2100.pth`: no `out`, the head beside it."""
    network = {
        f"backbone.{name}": tensor
        for name, tensor in swin_unetr().state_dict().items()
        if not name.startswith("out.")
    }
    return network | controller.state(UNIVERSAL_OUTPUTS, features=48, coarsest=768)


class TestSegResNet(BaselineChecks):
    baseline = SuPreMSegResNet()

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


def test_segresnet_gives_the_logits_of_the_published_network(tmp_path):
    network = segresnet()
    path = save(tmp_path / "segresnet.pth", network.state_dict(), "net", "module.")
    baseline = SuPreMSegResNet(weights=path)
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    assert audit.unused == ["conv_final.2.conv.bias", "conv_final.2.conv.weight"]
    volume = probe(1, 1, 16, 16, 24)
    with torch.no_grad():
        maps = backbone.encoder(volume)
        logits = baseline.head(published, backbone)(backbone.decoder(maps), maps)
        assert torch.equal(logits, network(volume))


def test_swin_unetr_gives_the_features_of_the_published_network(tmp_path):
    path = save(tmp_path / "swin.pth", swin_state(), "net", "module.")
    baseline = SuPreMSwinUNETR(size="tiny", weights=path)
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    heads = {name.split(".")[0] for name in audit.unused}
    assert heads == {"GAP", "controller", "organ_embedding", "precls_conv", "text_to_vision"}
    assert len(audit.unused) == 13
    volume, network = probe(1, 1, 32, 32, 64), swin_unetr()
    with torch.no_grad():
        assert torch.equal(network.out(backbone(volume)), network(volume))
    features, coarsest = probe(1, 48, 4, 4, 4), probe(1, 768, 1, 1, 2)
    head = baseline.head(published, backbone)
    expected = controller.logits(features, coarsest, published)
    torch.testing.assert_close(head(features, [coarsest]), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "wrapper", "prefix"),
    [(SuPreMUNet, "net", "module.backbone."), (UniversalModelUNet, "state_dict", "module.")],
)
def test_the_u_net_gives_the_features_of_the_published_network(tmp_path, kind, wrapper, prefix):
    network, head = (
        genesis.state(width=8),
        controller.state(UNIVERSAL_OUTPUTS, features=64, coarsest=512),
    )
    path = save(tmp_path / "unet.pth", network | head, wrapper, prefix)
    baseline = kind(size="tiny", weights=path)
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    unread = ("running_mean", "running_var", "num_batches_tracked")
    assert {name for name in audit.unused if not name.endswith(unread)} == set(head)
    volume = probe(1, 1, 16, 16, 32)
    with torch.no_grad():
        maps = backbone.encoder(volume)
        coarsest, features = genesis.unet3d(volume, network)
        torch.testing.assert_close(maps[-1], coarsest, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(backbone.decoder(maps), features, rtol=1e-4, atol=1e-4)
    features, coarsest = probe(1, 64, 2, 2, 2), probe(1, 512, 1, 1, 1)
    logits = baseline.head(published, backbone)(features, [coarsest])
    assert logits.shape == (1, 32, 2, 2, 2)


def test_its_own_sizes_are_the_published_ones():
    with torch.device("meta"):
        network = SuPreMSwinUNETR().backbone(1)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(62.19, abs=0.01)
    assert network.encoder.channels[-1] == 768
    assert network.out_channels == 48


@pytest.mark.parametrize("names", [{"swinViT": "vit"}, {"swinViT.": "student.swinViT."}])
def test_names_that_do_not_fit_are_refused(tmp_path, names):
    path = save(tmp_path / "swin.pth", renamed(swin_state(), names), "net", "module.")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(SuPreMSwinUNETR(size="tiny", weights=path))


def test_a_file_of_another_architecture_is_refused(tmp_path):
    path = save(tmp_path / "segresnet.pth", segresnet().state_dict(), "net", "module.")
    with pytest.raises(WeightsError, match=r"only 0\.0% of the encoder's parameters fit"):
        loaded(SuPreMSwinUNETR(size="tiny", weights=path))


def test_a_head_with_other_classes_is_not_read_as_its_own(tmp_path):
    path = save(tmp_path / "segresnet.pth", segresnet(25).state_dict(), "net", "module.")
    baseline = SuPreMSegResNet(weights=path)
    backbone, audit, published = loaded(baseline)
    assert audit.loaded_share == 1
    with pytest.raises(WeightsError, match="gives 25 outputs, the baseline's card names 32"):
        baseline.head(published, backbone)


@pytest.mark.parametrize("kind", [SuPreMSegResNet, SuPreMSwinUNETR, SuPreMUNet])
def test_its_card_says_what_its_paper_s_numbers_and_inference_are_not(kind):
    card = kind.card
    assert (card.volumes, card.gpu_hours) == (2100, None)
    assert "21 CT with 672 masks, not of these weights" in card.note
    assert "largest component and lets structures overlap, for nine of them" in card.note


def test_its_own_way_with_masks_is_offered_where_its_code_has_it():
    targets = "spleen kidney_right kidney_left gall_bladder liver stomach aorta postcava pancreas"
    assert SuPreMUNet.card.postprocessed == tuple(targets.split())
    assert SuPreMSwinUNETR.card.postprocessed == SuPreMUNet.card.postprocessed
    assert not SuPreMSegResNet.card.postprocessed
