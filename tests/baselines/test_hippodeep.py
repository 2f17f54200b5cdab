"""hippodeep: its published layout loads whole, computes the same, and finds hippocampi."""

import nibabel as nib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from voxbench.data.intensity import normalise
from voxbench.data.split import split_cases
from voxbench.design.structures import shared
from voxbench.errors import WeightsError
from voxbench.files import has_checksum
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.hippodeep import Hippodeep
from voxbench_tasks.msd import Hippocampus

from tests.baselines.layouts import loaded, logits

KERNELS = {
    "conv0a_0": (16, 1, 1, 1, 3), "conv0a_1": (16, 16, 1, 3, 1), "conv0a": (16, 16, 3, 1, 1),
    "convf1": (48, 16, 3, 3, 3), "convout0": (48, 48, 3, 3, 3), "convout1": (48, 48, 3, 3, 3),
    "convout2p": (48, 48, 3, 3, 3), "convout2": (48, 48, 3, 3, 3), "convlx3": (48, 48, 3, 3, 3),
    "convlx5": (48, 48, 3, 3, 3), "convlx7": (16, 48, 3, 3, 3), "convlx8": (1, 16, 1, 1, 1),
    "blur": (1, 1, 7, 7, 7), "conv_extract": (47, 48, 3, 3, 3), "convmix": (16, 48, 3, 3, 3),
    "convout1x": (1, 16, 1, 1, 1),
}  # fmt: skip


def published_state() -> dict[str, torch.Tensor]:
    """The names and shapes of the published file, at random."""
    torch.manual_seed(0)
    state = {}
    for name, shape in KERNELS.items():
        state[f"{name}.weight"] = torch.randn(shape) * (2 / np.prod(shape[1:])) ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0]) / 10
    for name in ("bn1", "bn2"):
        for key in ("weight", "bias", "running_mean"):
            state[f"{name}.{key}"] = torch.randn(48) / 2
        state[f"{name}.running_var"] = 0.5 + torch.rand(48)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)
    return state


def flat(image, state):
    """Thyreau et al. 2018 as a function of its state dict → logits, two voxels less each side."""

    def conv(x, name, padding=1):
        return F.conv3d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    def norm(x, name):
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(state[f"{name}.{key}"] for key in keys))

    x = image
    for name in ("conv0a_0", "conv0a_1", "conv0a", "convf1"):
        x = F.relu(conv(x, name, padding=0))
    finest = x
    for batch, first, second in (("bn1", "convout0", "convout1"), ("bn2", "convout2p", "convout2")):
        pooled = F.max_pool3d(x, 2)
        x = F.relu(conv(F.relu(conv(norm(pooled, batch), first)), second) + pooled)
    for name in ("convlx3", "convlx5"):
        x = F.relu(conv(x, name)).repeat_interleave(2, 2)
        x = x.repeat_interleave(2, 3).repeat_interleave(2, 4)
    coarse = torch.sigmoid(conv(F.relu(conv(x, "convlx7")), "convlx8", padding=0))
    where = torch.sigmoid(conv(coarse, "blur", padding=3))
    looked_at = F.leaky_relu(conv(where * finest, "conv_extract"), 0.01)
    x = F.relu(conv(torch.cat([coarse, looked_at], 1), "convmix"))
    return conv(x, "convout1x", padding=0)


def check(path):
    """Everything loads; an image with its border repeated gives the published logits."""
    baseline = Hippodeep(weights=str(path))
    backbone, audit, published = loaded(baseline)
    head = baseline.head(published, backbone).eval()
    assert (audit.loaded_share, audit.loaded_total_share) == (1, 1)
    assert audit.unused == ["convout1x.bias", "convout1x.weight"]
    total = sum(p.numel() for m in (backbone, head) for p in m.parameters())
    assert total / 1e6 == pytest.approx(0.5, abs=0.005)
    image = torch.randn(1, 1, 16, 24, 16, dtype=torch.float64)
    found = logits(backbone.double(), head.double(), image)
    state = {name: tensor.double() for name, tensor in published.items()}
    around = F.pad(image, [2] * 6, mode="replicate")
    torch.testing.assert_close(found, flat(around, state))


def test_the_published_layout_loads_whole_and_computes_the_same(tmp_path):
    torch.save(published_state(), tmp_path / "hippodeep.pt")
    check(tmp_path / "hippodeep.pt")


@pytest.mark.parametrize("rename", ["module2.{}", "{}x"])
def test_another_layout_is_refused(tmp_path, rename):
    state = {rename.format(name): tensor for name, tensor in published_state().items()}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(Hippodeep(weights=str(tmp_path / "other.pt")))


def test_it_does_not_know_the_parts_of_a_hippocampus():
    assert shared(Hippodeep.card.outputs, ["Anterior", "Posterior"]) == {}
    assert shared(Hippodeep.card.outputs, ["hippocampus", "thalamus"]) == {"hippocampus": 0}


@pytest.mark.realdata
def test_the_real_file_loads_whole_and_computes_the_same(real_weights):
    path = real_weights / "hippodeep.pt"
    assert has_checksum(path, Hippodeep.checkpoints["base"].checksum)
    check(path)


@pytest.mark.realdata
def test_on_real_volumes_the_declared_axes_find_the_hippocampus_and_others_do_not(
    real_weights, real_data
):
    """Dice of its hippocampus with anterior and posterior together, in two training cases."""
    baseline = Hippodeep(weights=str(real_weights / "hippodeep.pt"))
    backbone, _, published = loaded(baseline)
    head = baseline.head(published, backbone).eval()
    cases = split_cases(Hippocampus(root=real_data / "Task04_Hippocampus")).train
    for path in (case.images[0] for case in cases[:2]):
        dices = {axes: dice(backbone, head, path, axes) for axes in ("RAS", "LAS", "RPS", "RAI")}
        own = dices.pop(baseline.card.contract.axes)
        assert own > 0.75
        assert max(dices.values()) < own - 0.2, dices


def dice(backbone, head, path, axes):
    files = (path, path.parent.parent / "labelsTr" / path.name)
    image, label = (reoriented(file, axes) for file in files)
    image = normalise(image, Hippodeep.card.contract.intensity)
    margins = [(0, -side % 4) for side in image.shape]
    image = np.pad(image, margins, mode="edge")
    found = logits(backbone, head, torch.from_numpy(image)[None, None])[0, 0] > 0
    found = found[tuple(slice(side) for side in label.shape)].numpy()
    return 2 * (found & (label > 0)).sum() / (found.sum() + (label > 0).sum())


def reoriented(path, axes):
    image = nib.load(path)
    ours, theirs = nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(tuple(axes))
    turned = image.as_reoriented(nib.orientations.ornt_transform(ours, theirs))
    return turned.get_fdata(dtype=np.float32)


@pytest.mark.realdata
class TestHippodeep(BaselineChecks):
    test_its_objective_trains_the_encoder = None

    @pytest.fixture(autouse=True)
    def _real(self, real_weights):
        self.baseline = Hippodeep(weights=str(real_weights / "hippodeep.pt"))
