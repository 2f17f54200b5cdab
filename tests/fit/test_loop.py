"""Training repeats itself, goes on where it stopped, and says when it diverges."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from voxbench import stopping
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.errors import FitError
from voxbench.fit import callbacks
from voxbench.fit.loop import train
from voxbench.fit.loss import segmentation_loss
from voxbench.fit.optim import ParameterGroup
from voxbench.progress import heard_by

RECIPE = Recipe(steps=24, patch=(8, 8, 8), learning_rate=0.01)


class Stopped(Exception):  # noqa: N818
    """Stands for a kill."""


def batches(step: int) -> Batch:
    images = np.random.default_rng(step).normal(size=(2, 1, 8, 8, 8)).astype(np.float32)
    return Batch(
        images,
        (images[:, 0] > 0.5).astype(np.uint8),
        np.ones((2, 1), bool),
    )


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Dropout(0.3), nn.Conv3d(4, 2, 1)
    )


def run(net: nn.Module, stop: int | None = None, recipe: Recipe = RECIPE, **options):
    calls = 0

    def loss(images, labels, labelled):
        nonlocal calls
        calls += 1
        if calls == stop:
            raise Stopped
        return segmentation_loss(net(images), labels, labelled)

    return train(net, loss, batches, recipe, seed=1, device="cpu", **options)


def equal(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_training_twice_gives_the_same_bits():
    first, second = network(), network()
    told = run(first)
    run(second)
    assert equal(first, second)
    assert not equal(first, network())
    assert told.steps == RECIPE.steps
    assert max(told.losses) == RECIPE.steps


@pytest.mark.parametrize("stop", [2, 13, 24])
def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, stop, monkeypatch):
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
    whole, parts, checkpoint = network(), network(), tmp_path / "c.ckpt"
    told = run(whole)
    with pytest.raises(Stopped):
        run(parts, stop, checkpoint=checkpoint)
    assert checkpoint.exists()
    again = network()
    continued = run(again, checkpoint=checkpoint)
    assert equal(again, whole)
    assert continued.losses == told.losses


@pytest.mark.parametrize(("selection", "look"), [("best", 1), ("best", 3), ("last", 1)])
def test_a_validation_that_is_stopped_is_made_again_and_no_step_is(tmp_path, selection, look):
    recipe = RECIPE.model_copy(update={"selection": selection, "validations": 3})
    steps = []

    def validated(stop: int | None = None):
        net, looks = network(), 0

        def validate() -> float:
            nonlocal looks
            looks += 1
            if looks == stop:
                os.kill(os.getpid(), signal.SIGTERM)
            return float(net[0].weight.detach().sum())

        with heard_by(lambda stage: steps.append(stage.done)):
            found = run(net, recipe=recipe, checkpoint=tmp_path / "c.ckpt", validate=validate)
        return net, found

    whole, told = validated()
    steps.clear()
    (tmp_path / "c.ckpt").unlink(missing_ok=True)
    with pytest.raises(stopping.Stopped), stopping.on_signals(), stopping.at_once():
        validated(stop=look)
    again, continued = validated()
    assert steps == list(range(1, RECIPE.steps + 1))
    assert continued.validation == told.validation
    assert continued.losses == told.losses
    assert equal(again, whole)


def test_a_first_batch_that_takes_long_is_not_waited_for_by_who_is_asked_to_stop(tmp_path):
    made = threading.Event()

    def slow(step: int) -> Batch:
        os.kill(os.getpid(), signal.SIGTERM)
        assert made.wait(60)
        return batches(step)

    net, loss = network(), lambda *_: pytest.fail("it was trained")
    with pytest.raises(stopping.Stopped), stopping.on_signals(), stopping.at_once():
        train(net, loss, slow, RECIPE, seed=1, device="cpu", checkpoint=tmp_path / "c.ckpt")
    assert not made.is_set()
    made.set()


def test_every_step_is_told_with_the_last_loss_that_was_read():
    told = []
    with heard_by(told.append):
        found = run(network())
    assert [stage.done for stage in told] == list(range(1, RECIPE.steps + 1))
    assert {(stage.doing, stage.total) for stage in told} == {("training", RECIPE.steps)}
    assert told[-1].loss == found.losses[RECIPE.steps]


def test_a_torn_checkpoint_is_started_over(tmp_path: Path):
    whole, again, checkpoint = network(), network(), tmp_path / "c.ckpt"
    run(whole)
    checkpoint.write_bytes(b"PK\x03\x04 torn")
    run(again, checkpoint=checkpoint)
    assert equal(whole, again)


def test_the_best_weights_on_validation_are_kept(tmp_path: Path):
    net = network()
    scores, seen = iter([0.1, 0.9, 0.4]), []

    def validate() -> float:
        assert not net.training
        seen.append(net[0].weight.detach().clone())
        return next(scores)

    recipe = RECIPE.model_copy(update={"selection": "best", "validations": 3})
    told = run(net, recipe=recipe, validate=validate)
    assert list(told.validation.values()) == [0.1, 0.9, 0.4]
    assert torch.equal(net[0].weight, seen[1])


def test_a_diverged_training_fails_with_the_way_out():
    net = network()
    with pytest.raises(FitError, match=r"loss is (nan|inf).*learning_rate"):
        train(
            net,
            lambda images, *_: net(images).mean() * torch.inf,
            batches,
            RECIPE,
            seed=1,
            device="cpu",
        )


def test_a_frozen_group_does_not_move():
    net = network()
    before = net[0].weight.detach().clone()
    groups = [
        ParameterGroup(list(net[0].parameters()), start=24),
        ParameterGroup(list(net[3].parameters())),
    ]
    run(net, groups=groups)
    assert torch.equal(net[0].weight, before)
    assert not torch.equal(net[3].weight, network()[3].weight)


@pytest.mark.parametrize(("clip", "moved"), [(None, 24.0), (0.5, 12.0)])
def test_gradients_are_scaled_down_to_the_norm_that_the_recipe_names(clip, moved):
    """A gradient of 1 at rate 1 moves a parameter by 1 a step, by half of it clipped to 0.5."""
    net = nn.Linear(1, 1, bias=False)
    start = float(net.weight.detach())
    recipe = Recipe(
        steps=24, optimiser="sgd", momentum=0.0, learning_rate=1.0, weight_decay=0.0,
        warmup=0.0, schedule="constant", gradient_clip=clip,
    )  # fmt: skip
    train(net, lambda *_: net.weight.sum(), batches, recipe, seed=0, device="cpu")
    assert start - float(net.weight.detach()) == pytest.approx(moved, rel=1e-4)
