"""A network that sees context finds the same beyond a small volume, whoever shows it."""

import numpy as np
import pytest
import torch
from torch import nn
from voxbench.data.outside import copy_window, told_outside
from voxbench.data.patches import Patches
from voxbench.data.prepare import prepare_cases
from voxbench.design.preprocessing import Preprocessing, Rescale, Window, ZScore
from voxbench.design.recipe import Recipe
from voxbench.predict.layout import Layout
from voxbench.predict.window import inference, stitched
from voxbench.testing.contract import cube

from tests.data.toy import card, toy, volumes, write_case

PATCH = (32, 16, 24)
SHAPE = (20, 24, 17)


class Context(nn.Module):
    """Sums over 15 voxels along each axis: a voxel near the border sees much of what is beyond."""

    def forward(self, x):
        return nn.functional.conv3d(x, torch.ones(1, x.shape[1], 15, 15, 15) / 1000, padding=7)


def prepared(folder, rule):
    """A case that is smaller than the patch along two axes."""
    case = write_case(folder, "a", *volumes(3, SHAPE))
    rule = Preprocessing(crop="none", intensity=rule)
    return prepare_cases(toy(folder, [case]).card, [case], rule)["a"]


AIRLESS = Window(low=-1000, high=1000, to=(-1.0, 1.0))


@pytest.fixture(params=[ZScore(), Window(low=60, high=140, to=(-1.0, 1.0)), AIRLESS])
def small(tmp_path, request):
    return prepared(tmp_path, request.param)


def test_around_a_windowed_crop_lies_air_even_if_it_holds_none(tmp_path):
    crop = prepared(tmp_path, AIRLESS)
    assert crop.image.min() > -0.5
    assert crop.outside.tolist() == [-1.0]


def test_around_a_rescaled_case_lies_the_end_of_its_range(tmp_path):
    assert prepared(tmp_path, Rescale(to=(-2.0, 1.0))).outside.tolist() == [-2.0]


def test_around_a_zscored_case_lies_its_darkest_value(tmp_path):
    case = prepared(tmp_path, ZScore())
    assert case.outside.tolist() == [case.image.min()]
    assert case.outside[0] < -1


def test_training_and_prediction_show_a_network_the_same(small):
    patch = (32, 24, 24)
    batch = Patches([small], card().classes, patch, 1, 0.0, seed=0).batch(0)
    trained = Context()(torch.from_numpy(batch.images))[0].numpy()[:, 6:26, :, 3:20]
    layout, recipe = Layout.of(SHAPE, patch, 0.5), Recipe(patch=patch, windows=2)
    with inference(Context()) as forward:
        (found,) = stitched(forward, small.image, small.outside, layout, recipe, "cpu")
    assert found.scores.shape == (1, *SHAPE)
    assert found.scores.numpy() == pytest.approx(trained, abs=1e-5)


def test_a_probe_shows_a_network_what_training_does(small):
    batch = Patches([small], card().classes, (32, 32, 32), 1, 0.0, seed=0).batch(0)
    probe = cube(small, list(card().classes), (32, 32, 32)).image.numpy()
    assert probe.min() == batch.images.min() == small.outside[0]
    assert sorted(probe.ravel()) == pytest.approx(sorted(batch.images.ravel()))


def test_what_lies_outside_is_told_by_the_rules():
    rules = (Window(low=0, high=1), ZScore(), Rescale(to=(-1.0, 1.0)), ZScore())
    assert told_outside(Preprocessing(intensity=rules), 4) == (
        "0, the lower end of its range, or each case's darkest value, or -1, the lower end of its "
        "range"
    )


def test_each_channel_has_its_own_value_outside():
    image = np.stack([np.full(SHAPE, 5.0), np.full(SHAPE, -2.0)]).astype(np.float32)
    seen = []

    def forward(windows):
        seen.append(windows[0].numpy().copy())
        return windows

    layout, recipe = Layout.of(SHAPE, PATCH, 0.5), Recipe(patch=PATCH)
    list(stitched(forward, image, np.array([1.0, -3.0]), layout, recipe, "cpu"))
    window = seen[0]
    assert window.shape == (2, *PATCH)
    assert np.array_equal(window[:, 6:26, :, 3:20], image[:, :, :16])
    assert set(np.unique(window[0])) == {1.0, 5.0}
    assert set(np.unique(window[1])) == {-3.0, -2.0}


def test_a_window_may_begin_and_end_outside():
    source, out = np.arange(27.0).reshape(3, 3, 3), np.empty((5, 2, 3))
    copy_window(source, [-1, 2, 0], out, -9.0)
    assert np.array_equal(out[1:4, 0], source[:, 2])
    assert np.all(out[[0, 4]] == -9)
    assert np.all(out[:, 1] == -9)
