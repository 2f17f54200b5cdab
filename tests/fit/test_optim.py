"""The learning rate warms up, then decays as the recipe says."""

import pytest
import torch
from voxbench.design.recipe import Recipe
from voxbench.fit.optim import ParameterGroup, factor, optimiser, rates


def test_the_rate_rises_linearly_then_falls_to_zero():
    recipe = Recipe(steps=100, warmup=0.1)
    assert factor(0, recipe) == pytest.approx(0.1)
    assert factor(9, recipe) == pytest.approx(1.0)
    assert factor(10, recipe) == pytest.approx(1.0)
    assert factor(55, recipe) == pytest.approx(0.5)
    assert factor(100, recipe) == pytest.approx(0.0, abs=1e-9)


def test_poly_and_constant():
    assert factor(50, Recipe(steps=100, warmup=0, schedule="poly")) == pytest.approx(0.5**0.9)
    assert factor(99, Recipe(steps=100, warmup=0, schedule="constant")) == 1.0


def test_a_group_waits_for_its_start_and_keeps_its_scale():
    recipe = Recipe(steps=100, warmup=0, schedule="constant")
    late, slow = rates([ParameterGroup([], start=20), ParameterGroup([], scale=0.5)], recipe)
    assert [late(19), late(20), slow(0)] == [0.0, 1.0, 0.5]


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)])
def test_the_recipe_names_the_optimiser(name, kind):
    parameter = torch.nn.Parameter(torch.zeros(1))
    chosen = optimiser([ParameterGroup([parameter])], Recipe(optimiser=name, weight_decay=0.25))
    assert isinstance(chosen, kind)
    assert chosen.param_groups[0]["weight_decay"] == 0.25


@pytest.mark.parametrize(("given", "used"), [(None, 0.99), (0.9, 0.9), (0.0, 0.0)])
def test_the_recipe_may_name_the_momentum(given, used):
    parameter = torch.nn.Parameter(torch.zeros(1))
    [group] = optimiser(
        [ParameterGroup([parameter])], Recipe(optimiser="sgd", momentum=given)
    ).param_groups
    assert (group["momentum"], group["nesterov"]) == (used, used > 0)
