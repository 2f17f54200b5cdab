"""nnssl's checkpoints load as their adaptation plan says, and give what they gave there."""

import copy
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import WeightsError
from voxbench_baselines.openmind import OpenMindResEncL

from tests.baselines.layouts import State, fingerprint, loaded, probe, save, shapes, translated

V = TypeVar("V")
RESENC_L = (32, 64, 128, 256, 320, 320), (1, 3, 4, 6, 6, 6)
KINDS = ("weight", "bias")
SMALL = (32, 64, 128, 256), (1, 3, 4, 6)  # its first levels, for speed
CONFIGURATION = {
    "data_identifier": "nnsslPlans_onemmiso",
    "spacing_style": "onemmiso",
    "normalization_schemes": ["ZScoreNormalization"],
    "use_mask_for_norm": [False],
    "spacing": [1.0, 1.0, 1.0],
    "patch_size": [160, 160, 160],
}
PLAN = {
    "architecture_plans": {
        "arch_class_name": "ResEncL",
        "arch_kwargs": None,
        "arch_kwargs_requiring_import": None,
    },
    "pretrain_plan": {
        "dataset_name": "Dataset745_OpenMind",
        "configurations": {
            "median": CONFIGURATION | {"spacing": [1, 0.9375, 0.9375]},
            "onemmiso": CONFIGURATION,
            "noresample": CONFIGURATION | {"spacing": None},
        },
    },
    "pretrain_num_input_channels": 1,
    "recommended_downstream_patchsize": (160, 160, 160),
    "key_to_encoder": "encoder.stages",
    "key_to_stem": "encoder.stem",
    "keys_to_in_proj": ("encoder.stem.convs.0.conv", "encoder.stem.convs.0.all_modules.0"),
    "key_to_lpe": None,
}


def layout(
    widths: tuple[int, ...], blocks: tuple[int, ...], outputs: int = 1
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of `checkpoint_final.pth`, without its copies."""
    made: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, kernel: int = 3, bias: bool = True) -> None:
        made[f"{name}.conv.weight"] = (out, into, kernel, kernel, kernel)
        if bias:
            made[f"{name}.conv.bias"] = (out,)
        made[f"{name}.norm.weight"] = made[f"{name}.norm.bias"] = (out,)

    conv("encoder.stem.convs.0", 32, 1)
    for level, (into, out) in enumerate(zip((32, *widths), widths, strict=False)):
        for block in range(blocks[level]):
            name = f"encoder.stages.{level}.blocks.{block}"
            conv(f"{name}.conv1", out, out if block else into)
            conv(f"{name}.conv2", out, out)
        if into != out:
            conv(f"encoder.stages.{level}.blocks.0.skip.1", out, into, 1, bias=False)
    for level, (below, out) in enumerate(zip(widths[:0:-1], widths[-2::-1], strict=True)):
        made[f"decoder.transpconvs.{level}.weight"] = (below, out, 2, 2, 2)
        made[f"decoder.transpconvs.{level}.bias"] = (out,)
        conv(f"decoder.stages.{level}.convs.0", out, 2 * out)
        made[f"decoder.seg_layers.{level}.weight"] = (outputs, out, 1, 1, 1)
        made[f"decoder.seg_layers.{level}.bias"] = (outputs,)
    return made


def with_copies(plain: Mapping[str, V]) -> dict[str, V]:
    """Each convolution and norm twice, the encoder once more in the decoder, if there is one."""
    twice = {
        name.replace(".conv.", ".all_modules.0.").replace(".norm.", ".all_modules.1."): value
        for name, value in plain.items()
    }
    whole = {**plain, **twice}
    encoder = {n: value for n, value in whole.items() if n.startswith("encoder.")}
    decoded = len(encoder) < len(whole)
    return whole | (
        {f"decoder.{name}": value for name, value in encoder.items()} if decoded else {}
    )


def projector(width: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what VoCo and SimCLR train behind an encoder."""
    made: dict[str, tuple[int, ...]] = {}
    for number, into in ((1, width), (2, 2048), (3, 2048)):
        made[f"projector.layer{number}.0.weight"] = (2048, into)
        made[f"projector.layer{number}.0.bias"] = (2048,)
    return made


def swin_heads(widths: tuple[int, ...], end: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what SwinUNETR's three tasks train behind widths, coarsest first.

    Args:
        widths: of the convolutions of its decoder.
        end: the number that the last of them has.
    """
    made: dict[str, tuple[int, ...]] = {}
    for name, out in (("rotation_proj_head", 4), ("contrast_proj_head", 512)):
        made |= {f"{name}.weight": (out, widths[0]), f"{name}.bias": (out,)}
    numbers = (*range(0, end, 4), end)
    for number, into, out in zip(numbers, widths, (*widths[1:], 1), strict=True):
        made[f"recon_proj_head.{number}.weight"] = (out, into, 3, 3, 3)
        made[f"recon_proj_head.{number}.bias"] = (out,)
    return made


def of_objective(objective: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of an objective's ResEnc-L file, without copies."""
    whole = layout(*RESENC_L, outputs=6 if objective == "VF" else 1)
    encoder = {name: shape for name, shape in whole.items() if name.startswith("encoder.")}
    heads = {
        "VoCo": projector(sum(RESENC_L[0])),
        "SimCLR": projector(sum(RESENC_L[0])),
        "SwinUNETR": swin_heads(RESENC_L[0][::-1], end=20),
    }
    return encoder | heads[objective] if objective in heads else whole


@cache
def state() -> dict[str, Tensor]:
    """Random weights, each convolution and norm twice, the encoder once more in the decoder."""
    random = torch.Generator().manual_seed(0)
    plain = {
        name: float("norm.weight" in name)
        + torch.randn(shape, generator=random) / max(torch.Size(shape[1:]).numel(), 25) ** 0.5
        for name, shape in layout(*SMALL).items()
    }
    return with_copies(plain)


def reconstruction(x: Tensor, weights: State) -> Tensor:
    """nnU-Net's residual encoder and plain decoder (Isensee et al., 2024)."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{name}.conv.weight"]
        bias = weights.get(f"{name}.conv.bias")
        x = F.conv3d(x, kernel, bias, stride, padding=kernel.shape[-1] // 2)
        affine = weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"]
        return F.instance_norm(x, None, None, *affine, eps=1e-5)

    def active(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.01)

    x = active(conv(x, "encoder.stem.convs.0"))
    skips = []
    for level, blocks in enumerate(SMALL[1]):
        for block in range(blocks):
            name = f"encoder.stages.{level}.blocks.{block}"
            stride = 2 if level and not block else 1
            y = conv(active(conv(x, f"{name}.conv1", stride)), f"{name}.conv2")
            x = F.avg_pool3d(x, stride)
            x = conv(x, f"{name}.skip.1") if f"{name}.skip.1.conv.weight" in weights else x
            x = active(x + y)
        skips.append(x)
    for level, skip in enumerate(skips[-2::-1]):
        up = f"decoder.transpconvs.{level}"
        x = F.conv_transpose3d(x, weights[f"{up}.weight"], weights[f"{up}.bias"], stride=2)
        x = active(conv(torch.cat([x, skip], 1), f"decoder.stages.{level}.convs.0"))
    head = "decoder.seg_layers.2"
    return F.conv3d(x, weights[f"{head}.weight"], weights[f"{head}.bias"])


def checkpoint(path, weights: State, plan: object = PLAN, trainer: str = "BaseMAETrainer") -> str:
    """A file as nnssl's trainer writes it."""
    save(path, weights, "network_weights")
    content = torch.load(path, weights_only=False)
    content |= {"trainer_name": trainer, "init_args": {"configuration_name": "onemmiso"}}
    content["logging"] = {"train_losses": [0.3, 0.2], "epoch_end_timestamps": [1.7e9]}
    torch.save(content | ({"nnssl_adaptation_plan": plan} if plan else {}), path)
    return str(path)


def altered(**fields: object) -> dict[str, object]:
    return copy.deepcopy(PLAN) | fields


@pytest.mark.parametrize(
    ("objective", "published"),
    [  # of nnssl's code at commit 7044864 with dynamic-network-architectures 0.4.4
        ("MAE", (956, 2716157784)),
        ("VF", (956, 2337661719)),
        ("VoCo", (454, 233990547)),
        ("SwinUNETR", (464, 387930609)),
    ],
)
def test_the_layouts_of_the_objectives_are_the_published_ones(objective, published):
    names = of_objective(objective)
    copied = with_copies({n: s for n, s in names.items() if n.startswith(("encoder.", "decoder."))})
    assert fingerprint(copied | names) == published


def test_an_encoder_alone_loads_with_its_objective_and_no_other(tmp_path):
    heads = {name: torch.ones(1) for name in ("projector.layer1.0.weight", "encoder.mask_token")}
    encoder = {name: t for name, t in state().items() if name.startswith("encoder.")} | heads
    path = checkpoint(tmp_path / "w.pth", encoder, trainer="VoCoTrainer_BS8_lr_1e2")
    audit = loaded(OpenMindResEncL(size="small", objective="VoCo", weights=path)).audit
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert {name for name in audit.unused if not name.endswith("conv.bias")} == set(heads)
    with pytest.raises(WeightsError, match=r"trainer_name is VoCoTrainer.*not objective SimCLR"):
        translated(OpenMindResEncL(size="small", objective="SimCLR", weights=path))


def test_an_objective_that_is_not_published_is_refused():
    with pytest.raises(ValueError, match="objective must be one of MAE, MG, S3D, SimCLR"):
        OpenMindResEncL(objective="SimMIM")
    told = OpenMindResEncL(objective="VF")
    assert told.checkpoint.file == "ResEncL-OpenMind-VF.pth"
    with pytest.raises(WeightsError, match="--field size=base --field objective=VF"):
        told.file()


def test_its_network_is_resenc_l():
    with torch.device("meta"):
        network = shapes(OpenMindResEncL().backbone(1))
    left_out = ("conv.bias", *(f"seg_layers.{i}.{kind}" for i in range(5) for kind in KINDS))
    published = [s for n, s in layout(*RESENC_L).items() if not n.endswith(left_out)]
    assert sorted(network.values()) == sorted(published)


def test_it_gives_the_reconstruction_of_the_published_network(tmp_path):
    path = checkpoint(tmp_path / "checkpoint_final.pth", state())
    backbone, audit, published = loaded(OpenMindResEncL(size="small", weights=path))
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    unused = {name.rpartition(".")[0] for name in audit.unused if ".conv." not in name}
    assert unused == {f"decoder.seg_layers.{level}" for level in range(3)}
    assert all(name.endswith(".bias") for name in audit.unused if ".conv." in name)
    volume = probe(1, 1, 16, 16, 24)
    with torch.no_grad():
        head = "decoder.seg_layers.2"
        features = backbone(volume)
        found = F.conv3d(features, published[f"{head}.weight"], published[f"{head}.bias"])
        torch.testing.assert_close(found, reconstruction(volume, state()), rtol=1e-3, atol=1e-3)


def test_the_layout_and_the_reconstruction_are_those_of_nnu_net_s_own_package():
    unet = pytest.importorskip("dynamic_network_architectures.architectures.unet")
    torch.manual_seed(0)
    network = unet.ResidualEncoderUNet(
        input_channels=1,
        n_stages=4,
        features_per_stage=list(SMALL[0]),
        conv_op=torch.nn.Conv3d,
        kernel_sizes=[[3, 3, 3]] * 4,
        strides=[[1, 1, 1]] + [[2, 2, 2]] * 3,
        n_blocks_per_stage=list(SMALL[1]),
        num_classes=1,
        n_conv_per_stage_decoder=[1] * 3,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    ).eval()
    assert shapes(network) == {name: tuple(tensor.shape) for name, tensor in state().items()}
    network.load_state_dict(state())
    volume = probe(1, 1, 16, 16, 24)
    with torch.no_grad():
        expected = reconstruction(volume, state())
        torch.testing.assert_close(network(volume), expected, rtol=1e-3, atol=1e-3)


def test_the_plan_says_where_the_encoder_lies(tmp_path):
    """Contrastive objectives save it under another name."""
    moved = {
        name.replace("encoder.", "network.", 1): tensor
        for name, tensor in state().items()
        if name.startswith("encoder.")
    }
    plan = altered(
        key_to_encoder="network.stages",
        key_to_stem="network.stem",
        keys_to_in_proj=("network.stem.convs.0.conv",),
    )
    path = checkpoint(tmp_path / "checkpoint_final.pth", moved, plan)
    audit = loaded(OpenMindResEncL(size="small", weights=path)).audit
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert all(name.endswith(".conv.bias") for name in audit.unused)
    path = checkpoint(tmp_path / "checkpoint_final.pth", moved)
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(OpenMindResEncL(size="small", weights=path))


def test_more_channels_share_the_first_convolution(tmp_path):
    from voxbench.model.weights import read_weights

    path = checkpoint(tmp_path / "checkpoint_final.pth", state())
    baseline = OpenMindResEncL(size="small", weights=path)
    with torch.device("meta"):
        backbone = baseline.backbone(2)
    stem = baseline.translate(read_weights(path), backbone)["encoder.stem.0.weight"]
    assert stem.shape == (32, 2, 3, 3, 3)
    torch.testing.assert_close(
        stem.sum(1, keepdim=True), state()["encoder.stem.convs.0.conv.weight"]
    )


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (None, "no readable `nnssl_adaptation_plan`"),
        ({"key_to_encoder": "eva"}, "no readable `nnssl_adaptation_plan`"),
        (altered(architecture_plans={"arch_class_name": "PrimusM"}), "plan says PrimusM"),
        (
            altered(
                pretrain_plan={"configurations": {"median": CONFIGURATION | {"spacing": None}}}
            ),
            r"no configuration with spacing \(1\.0, 1\.0, 1\.0\) mm",
        ),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(tmp_path, plan, message):
    few = {"encoder.stem.convs.0.conv.weight": torch.ones(32, 1, 3, 3, 3)}
    path = checkpoint(tmp_path / "checkpoint_final.pth", few, plan)
    with pytest.raises(WeightsError, match=message):
        loaded(OpenMindResEncL(size="small", weights=path))
