"""Windows are stitched so that a local network gives what it would on the whole volume."""

import numpy as np
import pytest
import torch
from torch import nn
from voxbench.predict.window import predict


def run(network, image, patch=(16, 16, 16), **options):
    values = {"patch": patch, "overlap": 0.5, "windows": 4, "device": "cpu"}
    return predict(network, image, [0.0] * len(image), **{**values, **options})


@pytest.fixture
def local() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv3d(2, 3, 1)


@pytest.mark.parametrize("shape", [(16, 16, 16), (20, 33, 17), (5, 16, 40), (7, 7, 7)])
def test_a_voxelwise_network_is_stitched_exactly(local, shape):
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    with torch.no_grad():
        whole = local(torch.from_numpy(image)[None])[0].numpy()
    assert run(local, image) == pytest.approx(whole, abs=1e-5)


def test_the_number_of_windows_a_pass_does_not_matter(local):
    image = np.random.default_rng(0).normal(size=(2, 30, 30, 30)).astype(np.float32)
    assert run(local, image, windows=2) == pytest.approx(run(local, image, windows=7), abs=1e-5)


def test_a_lone_window_is_not_run_alone():
    """A batch of one takes a slow convolution on the processor."""
    sizes = []

    class Spy(nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            return x

    run(Spy(), np.zeros((1, 16, 16, 16), np.float32))
    assert sizes == [2]


def test_the_network_comes_back_in_the_mode_it_was(local):
    image = np.zeros((2, 16, 16, 16), np.float32)
    for mode in (True, False):
        local.train(mode)
        run(local, image)
        assert local.training is mode
