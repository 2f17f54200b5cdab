import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data.intensity import normalise
from voxbench.design.preprocessing import Preprocessing, Rescale, Window, ZScore

from tests.data.toy import card


def test_a_window_maps_its_ends_to_0_and_1_and_clips_the_rest():
    image = np.array([-1000, -175, 37.5, 250, 3000], np.float32).reshape(1, 1, 5)
    assert normalise(image, Window(low=-175, high=250)).ravel().tolist() == [0, 0, 0.5, 1, 1]


@given(st.floats(1e-3, 1e6), st.floats(-1e4, 1e4), st.integers(0, 9))
def test_a_z_score_does_not_depend_on_the_scanner_s_scale(scale, offset, seed):
    image = np.random.default_rng(seed).normal(size=(6, 7, 8))
    plain = normalise(image.astype(np.float32), ZScore())
    assert plain.mean() == pytest.approx(0, abs=1e-5)
    assert plain.std() == pytest.approx(1, abs=1e-4)
    moved = normalise((image * scale + offset).astype(np.float32), ZScore())
    if scale > abs(offset) * 1e-3:  # else float32 itself has lost the image
        assert np.allclose(plain, moved, atol=1e-2)


def test_a_z_score_clips_the_outliers_that_would_stretch_it():
    image = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    image[0, 0, 0] = 1e6
    assert normalise(image, ZScore()).max() < 4


def test_nonzero_takes_the_statistics_of_the_brain_alone():
    image = np.zeros((10, 10, 10), np.float32)
    image[3:7, 3:7, 3:7] = np.random.default_rng(0).normal(100, 10, (4, 4, 4))
    inside = normalise(image, ZScore(nonzero=True))[3:7, 3:7, 3:7]
    assert inside.mean() == pytest.approx(0, abs=0.01)
    assert inside.std() == pytest.approx(1, abs=0.01)


def test_a_constant_channel_becomes_zero_and_the_input_is_not_touched():
    image = np.full((3, 3, 3), 5, np.float32)
    assert not normalise(image, ZScore()).any()
    assert (image == 5).all()


def test_a_window_and_percentiles_are_scaled_to_the_asked_range():
    image = np.array([[[-500.0, -175.0, 37.5, 250.0, 900.0]]])
    window = Window(low=-175, high=250, to=(-1, 1))
    assert normalise(image, window).ravel().tolist() == [-1, -1, 0, 1, 1]
    ramp = np.linspace(5, 9, 201).reshape(1, 1, -1)
    scaled = normalise(ramp, Rescale(percentiles=(25, 75), to=(2, 4))).ravel()
    assert scaled[[0, 50, 100, 150, 200]].tolist() == [2, 2, 3, 4, 4]
    assert set(normalise(np.full((2, 2, 2), 3.0), Rescale()).ravel().tolist()) == {0.0}


def test_a_window_becomes_percentiles_where_a_task_is_no_ct():
    contract = Preprocessing(spacing_mm=(1.5, 1.5, 1.5), intensity=Window(low=-175, high=250))
    assert contract.on(["CT"]) == contract
    assert contract.on(["MR"]) == Preprocessing(spacing_mm=(1.5, 1.5, 1.5), intensity=Rescale())
    assert Preprocessing().on(["MR"]) == Preprocessing()


def test_each_channel_has_the_rule_of_its_modality():
    window = Window(low=-175, high=250, to=(-1.0, 1.0))
    contract = Preprocessing(intensity=window)
    assert contract.on(["CT", "MR"]).intensity == (window, Rescale(to=(-1.0, 1.0)))
    assert contract.on(["CT", "CT"]) == contract
    own = card(modality=("CT", "PET"), channels=("ct", "pet")).preprocessing
    assert own.rules(2) == (Window(low=-175, high=250), ZScore())
    assert card(modality=("MR", "MR"), channels=("a", "b")).preprocessing.intensity == ZScore()


def test_a_card_names_one_modality_or_one_a_channel():
    with pytest.raises(ValueError, match="modality must be one for all channels or one a channel"):
        card(modality=("CT", "MR"))
