"""What a training is watched by: Dice of the validation cases, which changes nothing."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from voxbench.api import IGNORED
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.fit import callbacks
from voxbench.fit.validation import WINDOWS, _counted, window_dice

from tests.fit.test_loop import equal, network, run

RECIPE = Recipe(steps=24, patch=(8, 8, 8), learning_rate=0.01, validations=3)


def test_watching_changes_no_bit_and_ends_with_the_last_step(monkeypatch):
    monkeypatch.setattr(callbacks, "FEWEST_STEPS", 5)
    plain, watched = network(), network()
    run(plain)
    told = run(watched, recipe=RECIPE, validate=lambda: 0.5)
    assert equal(plain, watched)
    assert list(told.validation) == [8, 16, 24]


def test_short_trainings_are_watched_at_their_end_alone():
    assert list(run(network(), recipe=RECIPE, validate=lambda: 0.5).validation) == [24]


def test_what_is_undefined_is_not_told():
    assert run(network(), recipe=RECIPE, validate=lambda: math.nan).validation == {}


def batch(labels, labelled=((True, True),)):
    found = np.array(labels, np.uint8).reshape(1, 1, 1, -1)
    return Batch(np.zeros((1, 1, 1, 1, found.size), np.float32), found, np.array(labelled))


def counted(predicted, *of):
    """Voxels of both, of the prediction and of the reference, of each class."""
    return _counted(np.array(predicted).reshape(1, 1, 1, -1), batch(*of))[:, 0].tolist()


def test_voxels_are_counted_by_class():
    assert counted([1, 1, 0, 2], [1, 0, 0, 2]) == [[1, 1], [2, 1], [1, 1]]


def test_what_nobody_annotated_counts_for_none():
    assert counted([1, 1], [1, IGNORED]) == [[1, 0], [1, 0], [1, 0]]
    assert counted([1, 2], [1, 2], [[True, False]]) == [[1, 0], [1, 0], [1, 0]]


class Threshold(nn.Module):
    """Predicts class 1 where the image is positive."""

    def forward(self, images):
        return torch.cat([-images, images], dim=1)


def prepared(predicted, label):
    """A case in which `predicted` is what the network says, booleans of the shape of `label`."""
    return SimpleNamespace(
        image=np.where(predicted, 1, -1).astype(np.float32)[None], label=label.astype(np.uint8),
        foreground={"a": np.flatnonzero(label)} if label.any() else {},
        outside=np.full(1, -1, np.float32), labelled=None,
    )  # fmt: skip


def dice_of(*cases, recipe=RECIPE):
    names = [*map(str, range(len(cases)))]
    data = SimpleNamespace(
        validation=[SimpleNamespace(id=name) for name in names],
        prepared=dict(zip(names, cases, strict=True)),
        card=SimpleNamespace(parts={"a": 1}),
    )
    found = window_dice(Threshold(), data, recipe, "cpu")
    return found and found()


def box(shape, *corners, side=4):
    found = np.zeros(shape, bool)
    for a, b, c in corners:
        found[a : a + side, b : b + side, c : c + side] = True
    return found


def test_dice_is_pooled_over_cases():
    """One case of 512 voxels that are all found, one where 256 of 512 are: 2·768 / 1792."""
    ones = np.ones((8, 8, 8), bool)
    half = np.arange(512).reshape(ones.shape) < 256
    assert dice_of(prepared(ones, ones), prepared(half, ones)) == pytest.approx(2 * 768 / 1792)


def test_what_is_predicted_far_from_the_structure_counts():
    """64 voxels are found, and 64 more 24 voxels away, three windows on: 2·64 / 192, not 1."""
    shape = (32, 8, 8)
    truth, far = box(shape, (2, 2, 2)), box(shape, (2, 2, 2), (26, 2, 2))
    assert dice_of(prepared(truth, truth)) == 1
    assert dice_of(prepared(far, truth)) == pytest.approx(2 * 64 / 192)


def test_a_voxel_that_two_windows_hold_counts_once():
    """Windows of 8 over 12 voxels share four, in which all 4 × 8 × 8 are predicted and 4³ true."""
    truth = box((12, 8, 8), (4, 2, 2))
    predicted = np.zeros(truth.shape, bool)
    predicted[4:8] = True
    assert dice_of(prepared(predicted, truth)) == pytest.approx(2 * 64 / (256 + 64))


def test_it_is_the_whole_cases_where_windows_are_few_and_an_estimate_where_they_are_many():
    """Of 6 × 64 windows 32 are looked at: close to what all voxels come to by brute force."""
    random, cases = np.random.default_rng(0), []
    for _ in range(6):
        truth = box((32, 32, 32), random.integers(0, 20, 3), side=12)
        cases.append((truth ^ (random.random(truth.shape) < 0.05), truth))
    overlap, both = (sum(own.sum() for own in found) for found in zip(
        *((p & t, p.astype(int) + t) for p, t in cases), strict=True))  # fmt: skip
    few = dice_of(prepared(*cases[0]), recipe=RECIPE.model_copy(update={"patch": (16, 16, 16)}))
    own, truth = cases[0]
    assert few == pytest.approx(2 * (own & truth).sum() / (own.sum() + truth.sum()))
    assert dice_of(*(prepared(*case) for case in cases)) == pytest.approx(
        2 * overlap / both, abs=0.05
    )


def test_it_is_the_same_at_every_look_and_costs_no_more_than_its_windows():
    looked = []

    class Counting(Threshold):
        def forward(self, images):
            looked.append(images.clone())
            return super().forward(images)

    truth = box((64, 64, 64), (30, 30, 30))
    case = prepared(truth, truth)
    data = SimpleNamespace(
        validation=[SimpleNamespace(id="0")], prepared={"0": case},
        card=SimpleNamespace(parts={"a": 1}),
    )  # fmt: skip
    found = window_dice(Counting(), data, RECIPE, "cpu")
    assert found is not None
    first = found()
    assert sum(map(len, looked)) == WINDOWS
    again = window_dice(Counting(), data, RECIPE, "cpu")
    assert again is not None
    assert again() == first
    assert torch.equal(torch.cat(looked)[:WINDOWS], torch.cat(looked)[WINDOWS:])


def test_nothing_in_sight_is_undefined():
    assert math.isnan(dice_of(prepared(np.zeros((8, 8, 8), bool), np.zeros((8, 8, 8)))))


def test_without_validation_cases_there_is_nothing_to_watch():
    assert dice_of() is None
