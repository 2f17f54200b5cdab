"""nnU-Net's plain U-Nets load as its trainer writes them, and give what they gave there."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.api import Published, Window, ZScore
from voxbench.errors import WeightsError
from voxbench.model.heads import ConvolutionHead
from voxbench_baselines.totalsegmentator import TotalSegmentator
from voxbench_baselines.voco import VoComniNnUNet

from tests.baselines.layouts import State, fingerprint, loaded, logits, probe, save
from tests.baselines.test_openmind import with_copies

TINY = (8, 16, 32)
WIDTHS = (32, 64, 128, 256, 320, 320)
INTENSITIES = {"mean": 100.0, "std": 500.0, "percentile_00_5": -1000.0, "percentile_99_5": 1500.0}
CONFIGURATION = {"spacing": [1.5, 1.5, 1.5], "normalization_schemes": ["CTNormalization"]}


def layout(outputs: int, widths: tuple[int, ...] = WIDTHS) -> dict[str, tuple[int, ...]]:
    """Names and shapes of `network_weights`, without its copies."""
    made: dict[str, tuple[int, ...]] = {}

    def level(name: str, into: int, out: int) -> None:
        for number, before in enumerate((into, out)):
            at = f"{name}.convs.{number}"
            made[f"{at}.conv.weight"] = (out, before, 3, 3, 3)
            for tensor in ("conv.bias", "norm.weight", "norm.bias"):
                made[f"{at}.{tensor}"] = (out,)

    for i, (into, out) in enumerate(zip((1, *widths), widths, strict=False)):
        level(f"encoder.stages.{i}.0", into, out)
    for i, (below, out) in enumerate(zip(widths[:0:-1], widths[-2::-1], strict=True)):
        made[f"decoder.transpconvs.{i}.weight"] = (below, out, 2, 2, 2)
        made[f"decoder.transpconvs.{i}.bias"] = (out,)
        level(f"decoder.stages.{i}", 2 * out, out)
        made[f"decoder.seg_layers.{i}.weight"] = (outputs, out, 1, 1, 1)
        made[f"decoder.seg_layers.{i}.bias"] = (outputs,)
    return made


def drawn(outputs: int) -> dict[str, Tensor]:
    """Weights of a tiny network."""
    random = torch.Generator().manual_seed(0)
    return {
        name: float("norm.weight" in name) + 0.2 * torch.randn(shape, generator=random)
        for name, shape in layout(outputs, TINY).items()
    }


def labels_of(part: str) -> dict[str, int]:
    return {name: i for i, name in enumerate(TotalSegmentator(part=part).card.outputs)}


def told(part: str = "organs", **configuration: Any) -> dict[str, Any]:
    """`init_args` of a checkpoint, as far as they are plain."""
    told = {"3d_fullres": CONFIGURATION | configuration, "3d_cascade": {"inherits_from": "2d"}}
    plans = {
        "plans_name": "nnUNetPlans",
        "configurations": told,
        "foreground_intensity_properties_per_channel": {"0": INTENSITIES},
    }
    data = {"labels": labels_of(part), "channel_names": {"0": "CT"}}
    return {"plans": plans, "configuration": "3d_fullres", "fold": 0, "dataset_json": data}


def checkpoint(path: Path, weights: State, init_args: object) -> str:
    """A file as nnU-Net's trainer writes it."""
    save(path, with_copies(weights), "network_weights")
    content = torch.load(path, weights_only=False)
    if isinstance(init_args, dict):
        content["init_args"] = init_args | {"device": torch.device("cuda")}
    torch.save(content | {"trainer_name": "nnUNetTrainerNoMirroring"}, path)
    return str(path)


def segmented(x: Tensor, weights: State) -> Tensor:
    """The logits of nnU-Net's plain U-Net."""

    def level(x: Tensor, name: str, stride: int = 1) -> Tensor:
        for number in (0, 1):
            at = f"{name}.convs.{number}"
            kernel, bias = weights[f"{at}.conv.weight"], weights[f"{at}.conv.bias"]
            x = F.conv3d(x, kernel, bias, 1 if number else stride, padding=1)
            affine = weights[f"{at}.norm.weight"], weights[f"{at}.norm.bias"]
            x = F.leaky_relu(F.instance_norm(x, None, None, *affine), 0.01)
        return x

    skips = []
    for i in range(len(TINY)):
        x = level(x, f"encoder.stages.{i}.0", 2 if i else 1)
        skips.append(x)
    for i, skip in enumerate(skips[-2::-1]):
        up = f"decoder.transpconvs.{i}"
        x = F.conv_transpose3d(x, weights[f"{up}.weight"], weights[f"{up}.bias"], stride=2)
        x = level(torch.cat([x, skip], 1), f"decoder.stages.{i}")
    head = f"decoder.seg_layers.{len(TINY) - 2}"
    return F.conv3d(x, weights[f"{head}.weight"], weights[f"{head}.bias"])


@pytest.mark.parametrize(
    ("baseline", "published"),
    [  # of PlainConvUNet in dynamic-network-architectures 0.4.4
        (TotalSegmentator(), (292, 1280033575)),
        (VoComniNnUNet(), (292, 4095854918)),
    ],
)
def test_its_network_is_the_published_one(baseline, published):
    outputs = len(baseline.card.outputs)
    assert fingerprint(with_copies(layout(outputs))) == published
    with torch.device("meta"):
        state = baseline.backbone(1).state_dict()
    network = {n.replace("coder.levels", "coder.stages"): tuple(t.shape) for n, t in state.items()}
    assert network == {n: s for n, s in layout(outputs).items() if "seg_layers" not in n}


def test_it_gives_the_logits_of_the_published_network(tmp_path, monkeypatch):
    monkeypatch.setattr(TotalSegmentator, "head_layer", "decoder.seg_layers.1")
    path = checkpoint(tmp_path / "checkpoint_final.pth", drawn(25), told())
    baseline = TotalSegmentator(size="tiny", weights=path)
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share, audit.missing) == (1, 1, [])
    assert {name.rpartition(".")[0] for name in audit.unused} == {
        f"decoder.seg_layers.{i}" for i in (0, 1)
    }
    head = baseline.head(published, backbone)
    volume = probe(1, 1, 16, 8, 24)
    found, expected = logits(backbone, head, volume), segmented(volume, drawn(25))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_plans_in_the_file_say_how_its_images_were_prepared(tmp_path):
    path = checkpoint(tmp_path / "w.pth", drawn(25), told(spacing=[3, 1.5, 1.5]))
    contract = TotalSegmentator(weights=path).card.contract
    assert contract.spacing_mm == (3, 1.5, 1.5)
    assert contract.intensity == Window(low=-1000, high=1500, to=(-2.2, 2.8))
    z_scored = told(normalization_schemes=["ZScoreNormalization"])
    path = checkpoint(tmp_path / "w.pth", drawn(25), z_scored)
    assert TotalSegmentator(weights=path).card.contract.intensity == ZScore(percentiles=(0, 100))


@pytest.mark.parametrize(
    ("init_args", "message"),
    [
        (None, "no readable plans in `init_args`"),
        ({"configuration": "3d_fullres"}, "no readable plans in `init_args`"),
        (told() | {"configuration": "2d"}, "don't tell spacing and intensities of 2d"),
        (told(normalization_schemes=["NoNormalization"]), "have NoNormalization"),
    ],
)
def test_a_file_without_its_plans_is_refused(tmp_path, init_args, message):
    path = checkpoint(tmp_path / "w.pth", drawn(25), init_args)
    with pytest.raises(WeightsError, match=message):
        TotalSegmentator(weights=path)


def test_a_part_is_known_by_its_labels(tmp_path):
    ribs = TotalSegmentator(part="ribs", size="tiny")
    assert (ribs.card.volumes, len(ribs.card.outputs)) == (1559, 27)
    assert TotalSegmentator(part="vertebrae").card.volumes == 1532
    path = checkpoint(tmp_path / "w.pth", drawn(27), told("vertebrae"))
    with pytest.raises(WeightsError, match=r"labels are background, sacrum, .* not those of part"):
        loaded(TotalSegmentator(part="ribs", size="tiny", weights=path))
    with pytest.raises(ValueError, match="part must be one of organs, vertebrae"):
        TotalSegmentator(part="total")


def test_the_parts_have_the_117_structures_once():
    parts = ("organs", "vertebrae", "cardiac", "muscles", "ribs")
    outputs = [name for part in parts for name in TotalSegmentator(part=part).card.outputs[1:]]
    assert len(outputs) == len(set(outputs)) == 117


@pytest.mark.parametrize("wrapper", [None, "state_dict"])
def test_vocomni_s_file_needs_no_plans(tmp_path, wrapper):
    weights = with_copies(drawn(21)) | {"decoder.seg_layers.4.bias": torch.ones(21)}
    weights["decoder.seg_layers.4.weight"] = torch.ones(21, 8, 1, 1, 1)
    baseline: Published = VoComniNnUNet(size="tiny", weights=save(tmp_path / "w", weights, wrapper))
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_total_share, audit.missing) == (1, [])
    assert isinstance(baseline.head(published, backbone), ConvolutionHead)


def test_more_channels_share_the_first_convolution():
    named = {"encoder.stages.0.0.convs.0.conv.weight": torch.ones(8, 1, 3, 3, 3)}
    baseline = VoComniNnUNet(size="tiny")
    with torch.device("meta"):
        backbone = baseline.backbone(2)
    stem = baseline.translate(named, backbone)["encoder.levels.0.0.convs.0.conv.weight"]
    assert stem.shape == (8, 2, 3, 3, 3)
    assert torch.all(stem == 0.5)
