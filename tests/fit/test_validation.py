"""What a training is watched by: Dice of validation patches, which changes nothing."""

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
from voxbench.fit.validation import _counted, patch_dice

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
    return _counted(np.array(predicted).reshape(1, 1, 1, -1), batch(*of)).tolist()


def test_voxels_are_counted_by_class():
    assert counted([1, 1, 0, 2], [1, 0, 0, 2]) == [[1, 1], [3, 2]]


def test_what_nobody_annotated_counts_for_none():
    assert counted([1, 1], [1, IGNORED]) == [[1, 0], [2, 0]]
    assert counted([1, 2], [1, 2], [[True, False]]) == [[1, 0], [2, 0]]


class Threshold(nn.Module):
    """Predicts class 1 where the image is positive."""

    def forward(self, images):
        return torch.cat([-images, images], dim=1)


def prepared(image, label):
    found = np.array(image, np.float32).reshape(1, 8, 8, 8)
    return SimpleNamespace(
        image=found, label=np.array(label, np.uint8).reshape(8, 8, 8), foreground={},
        outside=np.zeros(1, np.float32), labelled=None,
    )  # fmt: skip


def data(cases):
    return SimpleNamespace(
        validation=[SimpleNamespace(id=str(i)) for i in range(len(cases))],
        prepared={str(i): case for i, case in enumerate(cases)},
        card=SimpleNamespace(parts={"a": 1}),
    )


def test_dice_is_pooled_over_patches():
    """One case of 512 voxels that are all found, one where 256 of 512 are found: 2·768 / 1792."""
    ones = np.ones(512)
    half = np.where(np.arange(512) < 256, 1.0, -1.0)
    found = patch_dice(
        Threshold(), data([prepared(ones, ones), prepared(half, ones)]), RECIPE, "cpu"
    )
    assert found is not None
    assert found() == pytest.approx(2 * 768 / 1792)


def test_nothing_in_sight_is_undefined():
    found = patch_dice(Threshold(), data([prepared(-np.ones(512), np.zeros(512))]), RECIPE, "cpu")
    assert found is not None
    assert math.isnan(found())


def test_without_validation_cases_there_is_nothing_to_watch():
    assert patch_dice(Threshold(), data([]), RECIPE, "cpu") is None
