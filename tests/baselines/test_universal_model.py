"""The Universal Model's file and its copies load into their networks, whole."""

import pytest
import torch
from monai.networks.nets import SwinUNETR
from voxbench.design.structures import shared
from voxbench_baselines.universal_model import UNIVERSAL_OUTPUTS, UniversalModelSwinUNETR

from tests.baselines.layouts import assert_carried, filled, names_of, probe, save, translated
from tests.model import controller


@pytest.mark.parametrize(
    ("wrapper", "prefix"),
    [("net", "module."), ("state_dict", "module.backbone."), ("net", ""), (None, "backbone.")],
)
def test_swin_unetr_loads_under_any_wrapper_and_prefix(tmp_path, wrapper, prefix):
    torch.manual_seed(0)
    network = filled(SwinUNETR(in_channels=1, out_channels=2, feature_size=12)).state_dict()
    head = controller.state(UNIVERSAL_OUTPUTS, features=48, coarsest=768)
    path = save(tmp_path / "universal.pth", {**network, **head}, wrapper, prefix)
    baseline = UniversalModelSwinUNETR(size="tiny", weights=path)
    tensors, backbone = translated(baseline)
    assert_carried(tensors, backbone, network)
    out = {"out.conv.conv.weight", "out.conv.conv.bias"}
    assert tensors.keys() - head.keys() - out == names_of(backbone)
    features, coarsest = probe(1, 48, 2, 2, 2), probe(1, 768, 1, 1, 1)
    logits = baseline.head(tensors, backbone)(features, [coarsest])
    expected = controller.logits(features, coarsest, head)
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)


def test_its_template_knows_the_classes_of_common_tasks():
    btcv = ("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver")
    assert shared(UNIVERSAL_OUTPUTS, btcv) == {name: place for place, name in enumerate(btcv)}
    assert shared(UNIVERSAL_OUTPUTS, ["IVC", "Left Adrenal Gland"]) == {
        "IVC": 8,
        "Left Adrenal Gland": 12,
    }
    assert len(set(UNIVERSAL_OUTPUTS)) == 32
