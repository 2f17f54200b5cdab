"""deepbet's LinkNet: its published layout loads whole, computes the same, and finds brains."""

from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from voxbench.data.prepare import prepare_cases
from voxbench.errors import WeightsError
from voxbench.files import has_checksum
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.deepbet import DEEPBET_DEVIATION, Deepbet
from voxbench_tasks.masks_folder import MasksFolder

from tests.baselines.layouts import loaded, logits

WIDTHS = (16, 32, 64, 128)


def published_state() -> dict[str, torch.Tensor]:
    """The names and shapes of the published file, at random."""
    torch.manual_seed(0)
    shapes = {"init.0": (16, 1, 7, 7, 7)}
    for level, width in enumerate(WIDTHS):
        before = WIDTHS[max(level - 1, 0)]
        for block, channels in (("block1", before), ("block2", width)):
            name = f"down{level}.{block}"
            shapes[f"{name}.double_conv.0"] = (width, channels, 3, 3, 3)
            shapes[f"{name}.double_conv.3"] = (width, width, 3, 3, 3)
        if level:
            shapes[f"down{level}.block1.downsample.0"] = (width, before, 1, 1, 1)
    for level, (width, after) in enumerate([(128, 64), (64, 32), (32, 16), (16, 16)]):
        shapes[f"up{level}.conv1.0"] = (width // 4, width, 1, 1, 1)
        shapes[f"up{level}.tp_conv.0"] = (width // 4, width // 4, 3, 3, 3)
        shapes[f"up{level}.conv2.0"] = (after, width // 4, 1, 1, 1)
    ends = {"tp_conv1.0": (16, 8, 3, 3, 3), "conv.0": (8, 8, 3, 3, 3), "tp_conv2": (8, 2, 2, 2, 2)}
    state = {f"{k}.weight": torch.randn(s) / 10 for k, s in {**shapes, **ends}.items()}
    biases = {"tp_conv1.0": 8, "conv.0": 8, "tp_conv2": 2}
    return state | {f"{name}.bias": torch.randn(width) for name, width in biases.items()}


def flat(x, state):
    """The published LinkNet as a function of its state dict → logits."""

    def conv(x, name, stride=1):
        kernel, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
        return F.instance_norm(F.conv3d(x, kernel, bias, stride, kernel.shape[-1] // 2))

    def enlarged(x, name, stride=2):
        kernel, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
        return F.instance_norm(F.conv_transpose3d(x, kernel, bias, stride, 1, stride - 1))

    def block(x, name, stride):
        y = conv(F.relu(conv(x, f"{name}.double_conv.0", stride)), f"{name}.double_conv.3")
        return F.relu(y + (conv(x, f"{name}.downsample.0", stride) if stride > 1 else x))

    def up(x, name, stride):
        x = F.relu(conv(x, f"{name}.conv1.0"))
        return F.relu(conv(F.relu(enlarged(x, f"{name}.tp_conv.0", stride)), f"{name}.conv2.0"))

    maps = [F.max_pool3d(F.relu(conv(x, "init.0", 2)), 3, 2, 1)]
    for level in range(4):
        first = block(maps[-1], f"down{level}.block1", 2 if level else 1)
        maps.append(block(first, f"down{level}.block2", 1))
    x = maps[-1]
    for level in range(4):
        x = up(x, f"up{level}", 1 if level == 3 else 2) + maps[3 - level]
    x = F.relu(conv(F.relu(enlarged(x, "tp_conv1.0")), "conv.0"))
    return F.conv_transpose3d(x, state["tp_conv2.weight"], state["tp_conv2.bias"], 2)


def check(path):
    """Everything loads; an image of deviation 1 gives the logits of one of deviation 0.226."""
    baseline = Deepbet(weights=str(path))
    backbone, audit, published = loaded(baseline)
    head = baseline.head(published, backbone).eval()
    assert (audit.loaded_share, audit.loaded_total_share, audit.unused) == (1, 1, [])
    assert sum(p.numel() for p in backbone.parameters()) == sum(
        t.numel() for t in published.values()
    )
    image = torch.randn(1, 1, 32, 64, 32, dtype=torch.float64)
    found = logits(backbone.double(), head.double(), image)
    state = {name: tensor.double() for name, tensor in published.items()}
    torch.testing.assert_close(found, flat(DEEPBET_DEVIATION * image, state), rtol=1e-5, atol=1e-6)


def test_the_published_layout_loads_whole_and_computes_the_same(tmp_path):
    torch.save(published_state(), tmp_path / "bbox_model.pt")
    check(tmp_path / "bbox_model.pt")


def test_another_layout_is_refused(tmp_path):
    state = {f"unet.{name}": tensor for name, tensor in published_state().items()}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(Deepbet(weights=str(tmp_path / "other.pt")))


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("voxbench_baselines.deepbet.distribution", missing)
    with pytest.raises(WeightsError, match=r"pip install 'voxbench\[deepbet\]'"):
        Deepbet().file()


@pytest.fixture
def packaged():
    try:
        distribution("deepbet")
    except PackageNotFoundError:
        pytest.skip("extra `deepbet` missing")
    return Deepbet()


def test_the_packaged_file_loads_whole_and_computes_the_same(packaged):
    assert has_checksum(packaged.file(), packaged.checkpoint.checksum)
    check(packaged.file())


@pytest.mark.realdata
def test_on_a_real_brain_the_declared_axes_beat_turned_ones(packaged, real_data):
    """Dice with the voxels that skull stripping left, in a T1 image of MALF.

    Left and right aren't told apart: a mirrored brain is a brain.
    """
    backbone, _, published = loaded(packaged)
    head = packaged.head(published, backbone).eval()
    task = MasksFolder(root=real_data / "MALF_subcortical", modality="MR")
    axes = ("RAS", "RPS", "RAI", "ASR")
    dices = {code: dice(backbone, head, task, packaged.card.contract, code) for code in axes}
    own = dices.pop(packaged.card.contract.axes)
    assert own > 0.95
    assert max(dices.values()) < own - 0.01, dices


def dice(backbone, head, task, contract, axes):
    case = next(iter(task.cases().values()))[0]
    prepared = prepare_cases(task.card, [case], contract.model_copy(update={"axes": axes}))
    image = prepared[case.id].image[0]
    brain = image > image.min()
    margins = [(-s % 32 // 2, -s % 32 - -s % 32 // 2) for s in image.shape]
    around = np.pad(image, margins, mode="edge")
    found = logits(backbone, head, torch.from_numpy(around)[None, None])[0].argmax(0).numpy()
    found = found[tuple(slice(m[0], m[0] + s) for m, s in zip(margins, image.shape, strict=True))]
    return 2 * (found.astype(bool) & brain).sum() / (found.sum() + brain.sum())


class TestDeepbet(BaselineChecks):
    test_its_objective_trains_the_encoder = None

    @pytest.fixture(autouse=True)
    def _packaged(self, packaged):
        self.baseline = packaged
