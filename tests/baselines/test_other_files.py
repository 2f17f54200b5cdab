"""A file of another network, depth or version is refused, though it fills the whole encoder."""

import pytest
import torch
from torch import Tensor
from voxbench.api import Published
from voxbench.errors import WeightsError
from voxbench.model.comparison import TensorComparison, compare_tensors
from voxbench_baselines.genesis import GenesisChestCT
from voxbench_baselines.imagenet_inflated import ImageNetInflated
from voxbench_baselines.medicalnet import MedicalNet
from voxbench_baselines.suprem import SuPreMSwinUNETR, SuPreMUNet
from voxbench_baselines.swin_unetr import SwinUNETR5050
from voxbench_baselines.universal_model import (
    UNIVERSAL_OUTPUTS,
    UniversalModelSwinUNETR,
    UniversalModelUNet,
)
from voxbench_baselines.voco import VoCo, VoComni

from tests.baselines.layouts import in_2d, plain
from tests.model import controller


def heads(*names: str) -> dict[str, Tensor]:
    return {name: torch.ones(1, device="meta") for name in names}


def compared(state: dict[str, Tensor], baseline: Published) -> TensorComparison:
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    tensors = baseline.translate(state, backbone)
    return compare_tensors(backbone, tensors, baseline.left_over(state))


V2 = VoCo(size="tiny-v2")
HEAD = controller.state(UNIVERSAL_OUTPUTS, features=48, coarsest=768)
CASES = {
    "MedicalNet 101 as 50": (
        plain(MedicalNet(size="101"), "encoder."),
        MedicalNet(size="50"),
        "layer3.10.bn1.bias",
    ),
    "MedicalNet 34 as 18": (
        plain(MedicalNet(size="34"), "encoder."),
        MedicalNet(size="18"),
        "layer1.2.bn1.bias",
    ),
    "ImageNet 34 as 18": (
        in_2d(plain(ImageNetInflated(size="34"), "encoder.")),
        ImageNetInflated(size="18"),
        "layer1.2.bn1.bias",
    ),
    "VoCo as SuPreM": (
        plain(V2, "encoder."),
        SuPreMSwinUNETR(size="tiny"),
        "swinViT.layers1c.0.layer.conv1.conv.weight",
    ),
    "VoComni as SuPreM": (
        plain(VoComni(size="tiny-v2")) | heads("out.conv.conv.weight"),
        SuPreMSwinUNETR(size="tiny"),
        "out.conv.conv.weight",
    ),
    "5050 as SuPreM": (
        plain(SwinUNETR5050(size="tiny")) | heads("out.conv.conv.weight"),
        SuPreMSwinUNETR(size="tiny"),
        "out.conv.conv.weight",
    ),
    "5050 as Universal Model": (
        plain(SwinUNETR5050(size="tiny")) | heads("out.conv.conv.weight"),
        UniversalModelSwinUNETR(size="tiny"),
        "out.conv.conv.weight",
    ),
    "Models Genesis as Universal Model": (
        plain(GenesisChestCT(size="tiny")) | heads("out_tr.final_conv.weight"),
        UniversalModelUNet(size="tiny"),
        "out_tr.final_conv.weight",
    ),
    "VoCo as VoComni": (
        plain(V2, "encoder.") | heads("proj_head.weight"),
        VoComni(size="tiny-v2"),
        "proj_head.weight",
    ),
    "SuPreM as 5050": (
        plain(SuPreMSwinUNETR(size="tiny")) | HEAD,
        SwinUNETR5050(size="tiny"),
        "GAP.0.bias",
    ),
    "Models Genesis as SuPreM": (
        plain(GenesisChestCT(size="tiny")) | heads("out_tr.final_conv.weight"),
        SuPreMUNet(size="tiny"),
        "out_tr.final_conv.weight",
    ),
    "SuPreM as Models Genesis": (
        plain(SuPreMUNet(size="tiny")) | HEAD,
        GenesisChestCT(size="tiny"),
        "GAP.0.bias",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_tensor_that_finds_no_place_is_an_objection_that_names_it(case):
    state, baseline, named = CASES[case]
    found = compared(state, baseline)
    assert found.share == 1
    assert found.file_share < 1
    objection = found.objection(baseline.card.min_loaded)
    assert "find no place here, so it is another network's" in objection
    assert named in objection


def test_a_3d_network_is_no_imagenet():
    with pytest.raises(WeightsError, match="3D already"):
        compared(plain(MedicalNet(size="50"), "encoder."), ImageNetInflated(size="50"))


@pytest.mark.parametrize(
    ("state", "baseline"),
    [
        (plain(MedicalNet(size="50"), "encoder."), MedicalNet(size="50")),
        (in_2d(plain(ImageNetInflated(size="18"), "encoder.")), ImageNetInflated(size="18")),
        (plain(SuPreMSwinUNETR(size="tiny")) | HEAD, SuPreMSwinUNETR(size="tiny")),
    ],
)
def test_its_own_file_is_used_whole_but_for_its_head(state, baseline):
    found = compared(state, baseline)
    assert found.objection(1.0) is None
    assert found.surplus == []
    own = sum(t.numel() for name, t in state.items() if name not in HEAD)
    whole = sum(t.numel() for t in state.values())
    assert found.file_share == pytest.approx(own / whole, abs=1e-3)
