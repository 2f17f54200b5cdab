from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import correlate1d
from scipy.stats import kstest, uniform
from voxbench.data import appearance
from voxbench.data.appearance import Chances, distorted

NEVER = Chances(*(0.0,) * 7)
PATCH = np.random.default_rng(0).normal(size=(2, 8, 8, 8)).astype(np.float32)


@pytest.fixture
def only(monkeypatch):
    """A patch through one change that always happens."""

    def change(name, image=PATCH, seed=0):
        monkeypatch.setattr(appearance, "CHANCES", NEVER._replace(**{name: 1.0}))
        return distorted(image, np.random.default_rng(seed))

    return change


@pytest.fixture
def notes(monkeypatch):
    """What each change was called with, on two channels of 2000 patches."""
    seen, patches = Counter(), 2000
    arguments = {"_blurred": [], "_coarser": [], "_contrasted": [], "_bent": [], "_noisy": []}

    def noting(name):
        def change(image, value, *_):
            seen[name] += 1
            arguments[name].append(value)
            return image

        return change

    for name in arguments:
        monkeypatch.setattr(appearance, name, noting(name))
    random = np.random.default_rng(1)
    for _ in range(patches):
        distorted(np.ones((2, 1, 1, 1), np.float32), random)
    return {name: count / patches for name, count in seen.items()}, arguments


def test_each_change_is_as_frequent_as_in_nnunet(notes):
    frequency, _ = notes
    assert frequency == {
        "_noisy": pytest.approx(0.1, abs=0.03),  # of patches
        "_blurred": pytest.approx(2 * 0.1, abs=0.04),  # of two channels: half of one patch of five
        "_contrasted": pytest.approx(2 * 0.15, abs=0.06),
        "_coarser": pytest.approx(2 * 0.125, abs=0.04),
        "_bent": pytest.approx(2 * (0.1 + 0.3), abs=0.1),
    }


def test_ranges_are_uniform_and_those_of_nnunet(notes):
    _, seen = notes
    for values, low, high in (
        (seen["_noisy"], 0, 0.1),
        (np.ravel(seen["_blurred"]), 0.5, 1.0),
        (seen["_contrasted"], 0.75, 1.25),
        (seen["_coarser"], 0.5, 1.0),
    ):
        assert kstest(values, uniform(low, high - low).cdf).pvalue > 0.01


def test_gammas_are_below_1_as_often_as_above(notes):
    gammas = np.array(notes[1]["_bent"])
    assert np.mean(gammas < 1) == pytest.approx(0.5, abs=0.05)
    for side, low, high in ((gammas[gammas < 1], 0.7, 1), (gammas[gammas > 1], 1, 1.5)):
        assert kstest(side, uniform(low, high - low).cdf).pvalue > 0.01


def test_noise_has_the_deviation_that_was_drawn_in_units_of_the_channel(only):
    scaled = PATCH * np.array([1, 20], np.float32)[:, None, None, None]
    added = only("noise", scaled, seed=4) - scaled
    random = np.random.default_rng(4)
    random.random(7)
    sigma = random.uniform(0, 0.1)
    for channel, noise in zip(scaled, added, strict=True):
        assert noise.std() == pytest.approx(sigma * channel.std(), rel=0.1)


def test_a_blur_has_a_width_of_each_axis():
    blurred = appearance._blurred(PATCH[0], np.array([0.5, 0.8, 1.0]))
    expected = PATCH[0]
    for axis, sigma in enumerate((0.5, 0.8, 1.0)):
        radius = int(3 * sigma + 0.5)
        kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        expected = correlate1d(expected, kernel / kernel.sum(), axis, mode="mirror")
    assert blurred == pytest.approx(expected, abs=1e-6)


def test_brightness_scales_a_channel_by_up_to_a_quarter(only):
    factors = [only("brightness", seed=seed) / PATCH for seed in range(50)]
    for factor in factors:
        assert factor.std((1, 2, 3)) == pytest.approx([0, 0], abs=1e-6)
    means = np.array([factor.mean((1, 2, 3)) for factor in factors])
    assert 0.75 <= means.min() < 0.8
    assert 1.2 < means.max() <= 1.25
    assert len(np.unique(means)) == 100, "each channel by itself"


def test_contrast_keeps_the_range():
    low, high = np.array([-1.0, 0.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0, 1.0]) / 2
    assert appearance._contrasted(low, 2.0) == pytest.approx(low)
    assert appearance._contrasted(low, 0.5) == pytest.approx(high)


def test_half_the_resolution_keeps_every_other_voxel():
    ramp = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 8, 8), np.float32)
    found = appearance._coarser(ramp, 0.5)[:, 3, 3]
    # 1, 3, 5, 7 are kept, at the centres 0.5, 2.5, 4.5, 6.5
    assert found == pytest.approx([1, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7])


def test_the_resolution_across_thick_slices_stays():
    depth = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 8, 8), np.float32)
    assert np.array_equal(appearance._coarser(depth, 0.5, thick=0), depth)
    assert not np.array_equal(appearance._coarser(depth, 0.5, thick=1), depth)


def test_a_gamma_curve_keeps_mean_and_deviation():
    bent = appearance._bent(PATCH[0], 1.5)
    assert bent.mean() == pytest.approx(PATCH[0].mean(), abs=1e-6)
    assert bent.std() == pytest.approx(PATCH[0].std(), rel=1e-5)
    unit = (PATCH[0] - PATCH[0].min()) / np.ptp(PATCH[0])
    assert np.corrcoef(bent.ravel(), (unit**1.5).ravel())[0, 1] == pytest.approx(1, abs=1e-6)
