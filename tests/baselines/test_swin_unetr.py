"""Three layouts of Swin UNETR files load into one network."""

import re

import pytest
import torch
from monai.networks.nets import SwinUNETR
from voxbench.errors import WeightsError
from voxbench_baselines.swin_unetr import SwinUNETR5050, SwinUNETRDAE, SwinUNETRTang

from tests.baselines.layouts import (
    State,
    assert_carried,
    filled,
    loaded,
    names_of,
    renamed,
    save,
    translated,
)


@pytest.fixture(scope="module")
def network() -> State:
    torch.manual_seed(0)
    return filled(SwinUNETR(in_channels=1, out_channels=14, feature_size=12)).state_dict()


def transformer(network: State, names: dict[str, str]) -> dict[str, torch.Tensor]:
    """The layout of `model_swinvit.pt`: the transformer with the three heads of its tasks."""
    own = {name: tensor for name, tensor in network.items() if name.startswith("swinViT.")}
    heads = {
        "rotation_head.weight": torch.ones(4, 192),
        "contrastive_head.bias": torch.ones(512),
        "conv.0.weight": torch.ones(96, 192, 3, 3, 3),
    }
    return renamed(own, {**names, "mlp.linear": "mlp.fc"}) | heads


def disrupted(network: State) -> dict[str, torch.Tensor]:
    """The layout of `self_supervised_nv_swin_unetr_50000.pth`."""
    state = {}
    for name, tensor in network.items():
        name = re.sub(r"^swinViT\.(layers\d\.0)\.", r"encoder.\1.0.", name)
        state[name.replace("swinViT.patch_embed", "encoder.patch_embed")] = tensor
    extra = {"mask_token": torch.ones(1, 1, 12), "norm.weight": torch.ones(96)}
    return state | {f"encoder.{name}": tensor for name, tensor in extra.items()}


def test_the_5050_file_loads_whole_but_for_its_head(network, tmp_path):
    path = save(tmp_path / "5050.pt", network, "state_dict")
    tensors, backbone = translated(SwinUNETR5050(size="tiny", weights=path))
    assert_carried(tensors, backbone, network)
    assert names_of(backbone) == tensors.keys() - {"out.conv.conv.weight", "out.conv.conv.bias"}


@pytest.mark.parametrize("names", [{"swinViT.": ""}, {"swinViT.": "swin_vit."}, {}])
def test_tang_s_original_fills_the_transformer(network, tmp_path, names):
    path = save(tmp_path / "swinvit.pt", transformer(network, names), "state_dict", "module.")
    tensors, backbone = translated(SwinUNETRTang(size="tiny", weights=path))
    assert_carried(tensors, backbone, network)
    heads = {"rotation_head.weight", "contrastive_head.bias", "conv.0.weight"}
    assert tensors.keys() - heads == names_of(backbone, "encoder.swinViT.")


def test_tang_s_original_passes_its_audit_and_half_of_it_does_not(network, tmp_path):
    state = transformer(network, {"swinViT.": ""})
    path = save(tmp_path / "swinvit.pt", state, "state_dict", "module.")
    _, audit, _ = loaded(SwinUNETRTang(size="tiny", weights=path))
    assert 0.18 < audit.loaded_share < 0.25
    assert all(re.match(r"encoder\.encoder\d+\.", name) for name in audit.missing)
    del state["layers4.0.blocks.1.mlp.fc1.weight"], state["layers4.0.downsample.reduction.weight"]
    path = save(tmp_path / "half.pt", state, "state_dict", "module.")
    with pytest.raises(WeightsError, match="at least 18% must"):
        loaded(SwinUNETRTang(size="tiny", weights=path))


def test_the_share_of_the_transformer_is_the_published_network_s():
    with torch.device("meta"):
        encoder = SwinUNETRTang().backbone(1).encoder
    share = [sum(p.numel() for p in part.parameters()) for part in (encoder.swinViT, encoder)]
    assert share[0] / share[1] == pytest.approx(0.189, abs=0.001)


def test_the_dae_file_loads_whole_but_for_its_head_and_token(network, tmp_path):
    path = save(tmp_path / "dae.pth", disrupted(network), "model")
    tensors, backbone = translated(SwinUNETRDAE(size="tiny", weights=path))
    assert_carried(tensors, backbone, network)
    extra = {"encoder.mask_token", "encoder.norm.weight"}
    head = {"out.conv.conv.weight", "out.conv.conv.bias"}
    assert tensors.keys() - extra - head == names_of(backbone)


def test_one_layout_is_not_read_as_another(network, tmp_path):
    path = save(tmp_path / "dae.pth", disrupted(network), "model")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(SwinUNETR5050(size="tiny", weights=path))
