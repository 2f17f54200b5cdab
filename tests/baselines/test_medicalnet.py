"""MedicalNet's files load, and the maps are the published network's where both have voxels."""

import pytest
import torch
from voxbench.errors import WeightsError
from voxbench.model.backbones.medicalnet import MedicalNetEncoder, ZeroPadded
from voxbench.model.backbones.resnet import ResNetSize
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.medicalnet import MedicalNet, MedicalNet23

from tests.baselines.layouts import loaded, names_of, probe, save
from tests.model import volumetric

AS_PUBLISHED = {"strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4)}
HEAD = {"conv_seg.0.weight": torch.ones(512, 32, 2, 2, 2), "conv_seg.0.bias": torch.ones(32)}


class TestMedicalNet(BaselineChecks):
    baseline = MedicalNet(size="10")

    test_its_weights_reach_the_encoder = None
    test_its_objective_trains_the_encoder = None


def assert_sampled(maps, published):
    """Ours are theirs at every second and fourth voxel of the last two."""
    for ours, theirs, step in zip(maps, published, (1, 1, 1, 2, 4), strict=True):
        assert theirs.std() > 0
        expected = theirs[:, :, ::step, ::step, ::step]
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "units", "projects"), [("10", (1, 1, 1, 1), True), ("18", (2, 2, 2, 2), False)]
)
def test_maps_are_the_dilated_network_s_at_every_second_voxel(tmp_path, size, units, projects):
    state = volumetric.resnet_state(units, projects=projects)
    path = save(tmp_path / f"resnet_{size}.pth", state | HEAD, "state_dict", "module.")
    backbone, audit, _ = loaded(MedicalNet(size=size, weights=path))
    assert (audit.loaded_share, audit.missing) == (1, [])
    assert audit.unused == ["conv_seg.0.bias", "conv_seg.0.weight"]
    volume = probe(1, 1, 32, 64, 32)
    with torch.no_grad():
        assert_sampled(backbone.encoder(volume), volumetric.resnet(volume, state, **AS_PUBLISHED))


def test_so_are_those_of_bottlenecks():
    state = volumetric.resnet_state((1, 1, 1, 1), bottleneck=True)
    encoder = MedicalNetEncoder(ResNetSize("bottleneck", (1, 1, 1, 1)), 1).eval()
    encoder.load_state_dict(state)
    volume = probe(1, 1, 32, 32, 64)
    with torch.no_grad():
        assert_sampled(encoder(volume), volumetric.resnet(volume, state, **AS_PUBLISHED))


def test_a_shortcut_of_zeros_passes_gradients():
    x = probe(1, 2, 4, 4, 4).requires_grad_()
    y = ZeroPadded(5)(x)
    assert y.shape == (1, 5, 2, 2, 2)
    assert not y[:, 2:].any()
    y.sum().backward()
    assert x.grad.sum() == 2 * 8


def test_a_file_of_another_depth_is_refused(tmp_path):
    state = volumetric.resnet_state((1, 1, 1, 1))
    path = save(tmp_path / "resnet_10.pth", state, "state_dict", "module.")
    with pytest.raises(WeightsError, match="of the encoder's parameters fit"):
        loaded(MedicalNet(size="18", weights=path))


@pytest.mark.parametrize("kind", [MedicalNet, MedicalNet23])
def test_every_published_depth_has_a_network(kind):
    for depth, checkpoint in kind.checkpoints.items():
        assert checkpoint.file.startswith(f"resnet_{depth}")
        with torch.device("meta"):
            backbone = kind(size=depth).backbone(1)
        projects = any("downsample" in name for name in names_of(backbone, "encoder."))
        assert projects == (depth not in {"18", "34"})


def test_suprem_s_copy_is_the_network_of_depth_101():
    """Its 85.75M parameters are the encoder's and those of a head for two classes."""
    with torch.device("meta"):
        encoder = MedicalNet(size="101").backbone(1).encoder
    head = 2048 * 32 * 2**3 + 32 + 2 * 32 + 32 * 32 * 3**3 + 2 * 32 + 32 * 2
    total = sum(p.numel() for p in encoder.parameters()) + head
    assert total / 1e6 == pytest.approx(85.75, abs=0.01)
