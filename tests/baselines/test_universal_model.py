"""The Universal Model's file and its copies load into their networks, whole."""

import pytest
import torch
from bench.design.structures import shared
from monai.networks.nets import SwinUNETR

from baselines.universal_model import OUTPUTS, UniversalModelSwinUNETR
from tests.baselines.layouts import filled, loaded, probe, save
from tests.model import controller


@pytest.mark.parametrize(
    ("wrapper", "prefix"),
    [("net", "module."), ("state_dict", "module.backbone."), ("net", ""), (None, "backbone.")],
)
def test_swin_unetr_loads_under_any_wrapper_and_prefix(tmp_path, wrapper, prefix):
    torch.manual_seed(0)
    network = filled(SwinUNETR(in_channels=1, out_channels=2, feature_size=12))
    head = controller.state(OUTPUTS, features=48, coarsest=768)
    path = save(tmp_path / "universal.pth", {**network.state_dict(), **head}, wrapper, prefix)
    baseline = UniversalModelSwinUNETR(size="tiny", weights=path)
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    assert set(audit.unused) == {*head, "out.conv.conv.weight", "out.conv.conv.bias"}
    head = baseline.head(published, backbone)
    features, coarsest = probe(1, 48, 2, 2, 2), probe(1, 768, 1, 1, 1)
    assert head(features, [coarsest]).shape == (1, len(OUTPUTS), 2, 2, 2)
    volume = probe(1, 1, 32, 32, 64)
    with torch.no_grad():
        assert torch.equal(network.out(backbone(volume)), network(volume))


def test_its_template_knows_the_classes_of_common_tasks():
    btcv = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver")
    assert shared(OUTPUTS, btcv) == {name: place for place, name in enumerate(btcv)}
    assert shared(OUTPUTS, ["IVC", "Left Adrenal Gland"]) == {"IVC": 8, "Left Adrenal Gland": 12}
    assert len(set(OUTPUTS)) == 32
