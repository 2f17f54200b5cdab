"""Windows are stitched so that a local network gives what it would on the whole volume."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from voxbench.design.recipe import Recipe
from voxbench.predict.layout import Layout
from voxbench.predict.stitch import Stitch
from voxbench.predict.window import inference, stitched

from tests.predict.whole import whole_logits


def run(network, image, patch=(16, 16, 16), overlap=0.5, windows=4, order=(0, 1, 2)):
    """All blocks of a volume, put together."""
    recipe = Recipe(patch=patch, overlap=overlap, windows=windows)
    layout = Layout.of(image.shape[1:], patch, overlap)._replace(order=order)
    found = None
    with inference(network) as forward:
        outside = np.arange(len(image), dtype=np.float32)
        for block in stitched(forward, image, outside, layout, recipe, "cpu"):
            if found is None:
                found = np.full((len(block.scores), *image.shape[1:]), np.nan, np.float32)
            view = found.transpose(0, *(1 + axis for axis in order))
            ends = (s + n for s, n in zip(block.start, block.scores.shape[1:], strict=True))
            part = tuple(slice(s, end) for s, end in zip(block.start, ends, strict=True))
            known = view[(slice(None), *part)]
            shared = ~np.isnan(known)
            assert np.array_equal(known[shared], block.scores.numpy()[shared])
            fresh = tuple(o - s for o, s in zip(block.own, block.start, strict=True))
            assert np.isnan(known[(slice(None), *(slice(n, None) for n in fresh))]).all()
            view[(slice(None), *part)] = block.scores.numpy()
    return found


def image_of(shape, channels=2):
    return np.random.default_rng(0).normal(size=(channels, *shape)).astype(np.float32)


@pytest.fixture
def local() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv3d(2, 3, 1)


@pytest.mark.parametrize("shape", [(16, 16, 16), (20, 33, 17), (5, 16, 40), (7, 7, 7)])
def test_a_voxelwise_network_is_stitched_exactly(local, shape):
    image = image_of(shape)
    with torch.no_grad():
        whole = local(torch.from_numpy(image)[None])[0].numpy()
    assert run(local, image) == pytest.approx(whole, abs=1e-5)


SIDES = st.tuples(*[st.integers(3, 40)] * 3)
PATCHES = st.tuples(*[st.integers(8, 17)] * 3)
OVERLAPS = st.sampled_from([0.0, 0.25, 0.5, 0.7])


@settings(max_examples=40, deadline=None)
@given(SIDES, PATCHES, OVERLAPS, st.integers(2, 5), st.permutations(range(3)), st.integers(0, 9))
def test_blocks_are_what_the_whole_volume_gives(shape, patch, overlap, windows, order, seed):
    torch.manual_seed(seed)
    network, image = nn.Conv3d(2, 3, 3, padding=1), image_of(shape)
    expected = whole_logits(network, image, [0.0, 1.0], patch, overlap, windows)
    found = run(network, image, patch, overlap, windows, tuple(order))
    if order == [0, 1, 2]:
        assert np.array_equal(found, expected)
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_number_of_windows_a_pass_does_not_matter(local):
    image = image_of((30, 30, 30))
    assert run(local, image, windows=2) == pytest.approx(run(local, image, windows=7), abs=1e-5)


def test_small_volumes_run_along_their_first_axis_and_large_ones_where_least_is_held():
    assert Layout.of((100, 20, 30), (16, 16, 16), 0.5).order == (0, 1, 2)
    assert Layout.of((300, 240, 384), (96, 96, 96), 0.5).order == (2, 1, 0)
    assert Layout.of((600, 512, 64), (96, 96, 96), 0.5).order == (2, 0, 1)  # nothing at all


def test_of_a_layer_only_what_the_next_one_adds_to_is_held():
    """Of a window's 8 rows 4 are in the next too; a row of windows has 8 columns."""
    held = []

    class Watched(Stitch):
        def add(self, window, scores):
            super().add(window, scores)
            held.append(sum(sums[0].numel() for sums in self._sums.values()))

    layout = Layout.of((80, 40, 40), (8, 8, 8), 0.5)
    stitch, scores = Watched(layout, torch.ones(8, 8, 8)), torch.ones(3, 8, 8, 8)
    for window in layout.windows():
        stitch.add(window, scores)
        if window[2] == 8:
            stitch.take(*window[:2])
    assert max(held) == (4 * 40 + 4 * 8) * 40


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
