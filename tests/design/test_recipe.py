"""Schedules: what is not set stays out of what is told, and one may differ in some keys."""

import pytest
from pydantic import ValidationError
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.errors import SpecError


@pytest.mark.parametrize("schedule", [Recipe, Pretraining])
def test_keys_that_came_later_are_told_only_where_they_are_set(schedule):
    later = {"momentum", "gradient_clip", "devices", "micro_batch"}
    assert not later & schedule().model_dump(mode="json").keys()
    told = schedule(optimiser="sgd", momentum=0.9, gradient_clip=12.0).model_dump(mode="json")
    assert (told["momentum"], told["gradient_clip"]) == (0.9, 12.0)
    assert schedule.model_validate_json(schedule(gradient_clip=1.0).model_dump_json())


@pytest.mark.parametrize("option", ["deep_supervision", "dummy_2d", "anisotropic"])
def test_options_that_came_later_are_told_only_where_they_are_taken(option):
    assert option not in Recipe().model_dump(mode="json")
    assert Recipe(**{option: True}).model_dump(mode="json")[option] is True


@pytest.mark.parametrize(("name", "value"), [("stochastic", "ssn"), ("test_time_mirroring", True)])
def test_what_says_how_unsure_a_network_is_leaves_other_keys_alone(name, value):
    assert name not in Recipe().model_dump(mode="json")
    assert Recipe(**{name: value}).model_dump(mode="json")[name] == value


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"stochastic": "dropout", "deep_supervision": True}, "not with stochastic 'dropout'"),
        ({"stochastic": "ssn", "loss": "ce"}, "trained by the likelihood alone"),
    ],
)
def test_a_network_is_trained_one_way(keys, message):
    with pytest.raises(ValidationError, match=message):
        Recipe(**keys)


@pytest.mark.parametrize("schedule", [Recipe, Pretraining])
def test_only_what_turns_patches_can_do_so_in_a_plane(schedule):
    assert "dummy_2d" not in schedule(augmentation="light").model_dump(mode="json")
    assert schedule(dummy_2d=True).model_dump(mode="json")["dummy_2d"] is True
    with pytest.raises(ValidationError, match="'light' neither turns nor scales"):
        schedule(dummy_2d=True, augmentation="light")


def test_momentum_is_of_sgd_alone():
    with pytest.raises(ValidationError, match="adamw has none"):
        Recipe(momentum=0.9)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"devices": 4}, "devices: 4 can't share a batch of 6 evenly"),
        ({"devices": 2, "micro_batch": 2}, "micro_batch: 2 does not divide the 3 patches"),
    ],
)
def test_a_batch_is_divided_evenly(keys, message):
    with pytest.raises(ValidationError, match=message):
        Recipe(batch=6, **keys)
    assert Recipe(batch=6, devices=3, micro_batch=1).parts == 6


def test_some_keys_are_overridden_and_the_rest_stays():
    base = Pretraining(steps=10, optimiser="sgd", momentum=0.9)
    own = base.overridden({"patch": [32, 32, 16], "learning_rate": 1}, "here")
    assert own == base.model_copy(update={"patch": (32, 32, 16), "learning_rate": 1.0})
    assert base.overridden({"optimiser": "adamw"}, "here").momentum is None
    flat = Pretraining(dummy_2d=True)
    assert flat.overridden({"augmentation": "spatial"}, "here").dummy_2d
    assert not flat.overridden({"augmentation": "light"}, "here").dummy_2d


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"lerning_rate": 1}, "here: unknown key 'lerning_rate'. Did you mean 'learning_rate'"),
        ({"steps": 0}, "here: steps: "),
        ({"loss": "dice"}, "here: unknown key 'loss'"),
        ({"optimiser": "adamw", "momentum": 0.9}, "here: momentum: adamw has none"),
    ],
)
def test_what_breaks_a_rule_is_one_line_with_its_place(keys, message):
    with pytest.raises(SpecError) as caught:
        Pretraining().overridden(keys, "here")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
