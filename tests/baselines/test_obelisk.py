"""OBELISK's all-conv U-Net: its published layout loads whole, and computes what was published."""

import nibabel as nib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from voxbench.data.intensity import normalise
from voxbench.design.structures import shared
from voxbench.errors import WeightsError
from voxbench.files import has_checksum
from voxbench.model.weights import read_weights
from voxbench.plugins import find_architecture
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench.testing.probe import mismatch
from voxbench_baselines.obelisk import HOUNSFIELD, Obelisk

from tests.baselines.layouts import loaded

WIDTHS = {
    "0": (1, 5), "1": (5, 14), "11": (14, 14), "2": (14, 28), "22": (28, 28), "3": (28, 42),
    "33": (42, 42), "4": (42, 56), "44": (56, 56), "5": (56, 70), "55": (70, 70),
    "6dU": (126, 56), "6cU": (98, 42), "6bU": (70, 28), "6U": (42, 14), "7U": (19, 9),
}  # fmt: skip


def published_state() -> dict[str, torch.Tensor]:
    """The names and shapes of the published file, at random, statistics of Hounsfield size."""
    torch.manual_seed(0)
    state = {}
    for name, (before, after) in WIDTHS.items():
        spread = 1e-3 if name == "0" else 1.0
        state[f"conv{name}.weight"] = spread * torch.randn(after, before, 3, 3, 3) / before**0.5
        for key in (f"conv{name}.bias", f"batch{name}.bias", f"batch{name}.running_mean"):
            state[key] = torch.randn(after) / 10
        for key in (f"batch{name}.weight", f"batch{name}.running_var"):
            state[key] = 0.5 + torch.rand(after)
    state["conv77U.weight"] = torch.randn(9, 9, 3, 3, 3) / 15
    state["conv77U.bias"] = torch.randn(9)
    return state


def flat(hounsfield, state):
    """Heinrich et al. 2019 as a function of its state dict → maps, features, logits."""

    def block(x, name, stride=1):
        x = F.conv3d(x, state[f"conv{name}.weight"], state[f"conv{name}.bias"], stride, 1)
        known = [state[f"batch{name}.{k}"] for k in ("running_mean", "running_var")]
        x = F.batch_norm(x, *known, state[f"batch{name}.weight"], state[f"batch{name}.bias"])
        return F.leaky_relu(x, 0.1)

    maps = [block(hounsfield, "0")]
    for level in "12345":
        maps.append(block(block(maps[-1], level, 2), 2 * level))
    x = maps[-1]
    for name, skip in zip(("6dU", "6cU", "6bU", "6U", "7U"), maps[-2::-1], strict=True):
        x = F.interpolate(x, skip.shape[2:], mode="trilinear", align_corners=False)
        x = block(torch.cat([x, skip], 1), name)
    logits = F.conv3d(x, state["conv77U.weight"], state["conv77U.bias"], padding=1)
    return maps, x, logits


def check(path):
    """Everything loads, and the network computes on its contract what the file's does on HU."""
    baseline = Obelisk(weights=str(path))
    backbone, audit, published = loaded(baseline)
    assert (audit.loaded_share, audit.loaded_total_share) == (1, 1)
    assert audit.unused == ["conv77U.bias", "conv77U.weight"]
    hounsfield = 1000 * (torch.rand(1, 1, 32, 64, 32) - 0.7)
    image = normalise(hounsfield[0, 0].numpy(), baseline.card.contract.intensity)
    image = torch.from_numpy(image)[None, None].double()
    torch.testing.assert_close(image.float() * 1024, hounsfield, rtol=1e-4, atol=1e-3)
    backbone, head = backbone.double(), baseline.head(published, backbone).double()
    with torch.no_grad():
        maps = backbone.encoder(image)
        features = backbone.decoder(maps)
        found = maps, features, head(features, maps)
        expected = flat(image * 1024, {name: t.double() for name, t in published.items()})
    torch.testing.assert_close(found, expected)


def test_the_published_layout_loads_whole_and_computes_the_same(tmp_path):
    torch.save(published_state(), tmp_path / "fold.pth")
    check(tmp_path / "fold.pth")


def test_the_twin_has_0_88_million_parameters():
    with torch.device("meta"):
        backbone = find_architecture("allconv-unet").build("base", 1)
    head = 9 * 9 * 27 + 9
    total = sum(p.numel() for p in backbone.parameters()) + head
    assert total / 1e6 == pytest.approx(0.88, abs=0.005)


@pytest.mark.parametrize("change", ["prefix", "narrower"])
def test_another_layout_is_refused(tmp_path, change):
    state = published_state()
    if change == "prefix":
        state = {f"net1.{name}": tensor for name, tensor in state.items()}
    else:
        state = {name: tensor[: len(tensor) // 2] for name, tensor in state.items()}
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(Obelisk(weights=str(tmp_path / "other.pth")))


def test_scaling_the_stem_loses_no_digit():
    stem = published_state()["conv0.weight"]
    backbone = find_architecture("allconv-unet").build("base", 1)
    translated = Obelisk().translate({"conv0.weight": stem}, backbone)
    assert torch.equal(translated["encoder.conv0.weight"] / HOUNSFIELD, stem)


def test_its_organs_are_recognised_by_name():
    classes = ["spleen", "kidney_left", "kidney_right", "liver", "oesophagus"]
    places = shared(Obelisk.card.outputs, classes)
    assert places == {"spleen": 1, "kidney_left": 3, "liver": 6, "oesophagus": 5}


@pytest.fixture
def real_file(real_weights):
    return real_weights / "allconvunet_tcia_fold1.pth"


@pytest.mark.realdata
def test_the_real_file_loads_whole_and_computes_the_same(real_file):
    assert has_checksum(real_file, Obelisk.checkpoints["base"].checksum)
    check(real_file)


@pytest.mark.realdata
def test_the_stem_s_statistics_are_those_of_hounsfield_units(real_file):
    """Mean of the images = (norm's mean - bias) / sum of the kernel; filters agree on it."""
    state = read_weights(real_file)
    gains = state["conv0.weight"].sum((1, 2, 3, 4))
    means = ((state["batch0.running_mean"] - state["conv0.bias"]) / gains)[gains.abs() > 0.1]
    assert len(means) == 4
    torch.testing.assert_close(means, torch.full((4,), -118.0), rtol=0.05, atol=0)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "wrong",
    [
        lambda hounsfield: (hounsfield / 1024 + 1) / 1024,  # scaled as OBELISK's hybrid nets were
        lambda hounsfield: (hounsfield + 1024) / 1024,
        lambda hounsfield: hounsfield / 512,
        lambda hounsfield: -hounsfield / 1024,
    ],
)
def test_real_ct_in_hounsfield_units_matches_the_norms_best(real_file, real_data, wrong):
    """Head and neck, so that this says nothing of axes: turned ones match nearly as well."""
    backbone = loaded(Obelisk(weights=str(real_file))).backbone
    folder = real_data / "Dataset501_OpenKBP" / "imagesTr"
    for path in sorted(folder.glob("*.nii.gz"))[:2]:
        volume = nib.load(path).get_fdata(dtype=np.float32)[:32, :32, :32]
        hounsfield = torch.from_numpy(np.ascontiguousarray(volume))[None, None]
        declared = mismatch(backbone, (hounsfield / 1024).clamp(-1, 1))
        assert declared + 0.1 < mismatch(backbone, wrong(hounsfield))


@pytest.mark.realdata
class TestObelisk(BaselineChecks):
    test_its_objective_trains_the_encoder = None

    @pytest.fixture(autouse=True)
    def _real(self, real_file):
        self.baseline = Obelisk(weights=str(real_file))
