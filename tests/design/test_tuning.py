"""The table [tuning]: what may be tuned, and what is told of a mistake."""

import pytest
from voxbench.design.cell import Cell, Ref
from voxbench.design.fraction import Fraction
from voxbench.design.recipe import Recipe
from voxbench.design.sweep_file import parse_sweep
from voxbench.design.tuning import Range, Tuned, shared_recipe
from voxbench.errors import SpecError

RATE = {"low": 1e-4, "high": 1e-2, "log": True}


def tuning(**table):
    sweep = {"name": "x", "tasks": ["a"], "baselines": ["b"], "tuning": table}
    return parse_sweep(sweep).tuning


def test_the_documented_space_is_read():
    found = tuning(
        space={
            "recipe.learning_rate": RATE,
            "adaptation": ["full", "warmup", "layerwise"],
            "recipe.weight_decay": [1e-5, 1e-2],
        }
    )
    assert (found.trials, found.sampler, found.pruner, found.scope) == (
        20,
        "tpe",
        "none",
        "fraction",
    )
    assert found.space["recipe.learning_rate"] == Range(low=1e-4, high=1e-2, log=True)
    assert found.space["adaptation"] == ("full", "warmup", "layerwise")


def test_recipe_may_be_a_table_of_its_own():
    assert tuning(space={"recipe": {"learning_rate": RATE}}) == tuning(
        space={"recipe.learning_rate": RATE}
    )


MISTAKES = [
    ({}, "tuning.space: Field required"),
    ({"space": {}}, "tuning.space: needs at least one parameter"),
    ({"space": [1]}, "tuning.space: a table of parameters"),
    ({"space": {"recipe.learning_rat": [1]}}, "Did you mean 'recipe.learning_rate'?"),
    ({"space": {"recipe.steps": [9]}}, "recipe.steps: decides what a trial costs"),
    ({"space": {"recipe.batch": [9]}}, "recipe.batch: decides what a trial costs"),
    ({"space": {"recipe.learning_rate": {"low": 0.1, "high": 0.01}}}, "low must be below high"),
    ({"space": {"recipe.learning_rate": {"low": 0.1, "high": 0.1}}}, "low must be below high"),
    ({"space": {"recipe.warmup": {"low": 0, "high": 0.1, "log": True}}}, "low must be above 0"),
    ({"space": {"recipe.warmup": {"low": 0.1}}}, "recipe.warmup: high: Field required"),
    ({"space": {"recipe.warmup": {"low": 0.1, "high": 2.0}}}, "less than 1, got"),
    ({"space": {"recipe.warmup": {"low": "a", "high": 0.2}}}, "recipe.warmup: low:"),
    ({"space": {"recipe.warmup": {"low": 0.1, "high": 0.2, "lg": 1}}}, "recipe.warmup: lg:"),
    ({"space": {"recipe.warmup": 0.1}}, "recipe.warmup: a list of values or"),
    ({"space": {"recipe.warmup": []}}, "recipe.warmup: needs at least one value"),
    ({"space": {"recipe.warmup": [0.1, 0.1]}}, "recipe.warmup: names a value twice"),
    ({"space": {"recipe.loss": ["dice", "mse"]}}, "tuning.space.recipe.loss: Input should be"),
    ({"space": {"recipe.loss": [["dice"]]}}, "recipe.loss: a list of numbers, words or booleans"),
    ({"space": {"recipe.momentum": [0.9]}}, "momentum: adamw has none"),
    ({"space": {"adaptation": ["direct"]}}, "unknown adaptation to tune 'direct'"),
    ({"trials": 0, "space": {"adaptation": ["full"]}}, "tuning.trials: Input should be greater"),
    ({"trial": 3, "space": {"adaptation": ["full"]}}, "Did you mean 'trials'?"),
    ({"sampler": "cma", "space": {"adaptation": ["full"]}}, "tuning.sampler: Input should be"),
    ({"sampler": "grid", "space": {"recipe.warmup": {"low": 0.0, "high": 0.2}}}, "not a range"),
    ({"sampler": "grid", "trials": 3, "space": {"recipe.warmup": [0.0, 0.1]}}, "at most the 2"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_is_told_in_one_line_that_names_the_key(table, told):
    with pytest.raises(SpecError) as error:
        tuning(**table)
    assert told in str(error.value)
    assert "tuning" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_what_is_valid_only_together_may_be_tuned_together():
    assert tuning(space={"recipe.optimiser": ["sgd"], "recipe.momentum": [0.9, 0.99]})


def test_a_grid_takes_every_point_once_in_an_order_of_its_seed():
    space = {"recipe.warmup": [0.0, 0.1, 0.2], "adaptation": ["full", "frozen"]}
    points = tuning(sampler="grid", trials=6, space=space).grid()
    assert len({tuple(point.items()) for point in points}) == 6
    assert points == tuning(sampler="grid", trials=2, space=space).grid()
    assert points != tuning(sampler="grid", trials=2, seed=1, space=space).grid()


def cell(**changes):
    values = {"draw": 0, "seed": 0, "adaptation": "full", "recipe": Recipe(), **changes}
    return Cell(task=Ref("t"), baseline=Ref("b"), fraction=Fraction(shots=3), **values)


def test_a_cell_that_is_not_tuned_has_the_key_that_it_always_had():
    assert "tuned" not in cell().to_json()


def test_chosen_values_and_their_study_are_part_of_the_key_and_survive_a_record():
    values = {"recipe.learning_rate": 0.01, "adaptation": "frozen"}
    tuned = Tuned(study="s", tuning="t", trials=3, values=values)
    made = cell().with_values(values, tuned)
    assert (made.recipe.learning_rate, made.adaptation, made.adapted) == (0.01, "frozen", "tuned")
    assert Cell.from_json(made.to_json()) == made
    same = cell(adaptation="frozen", recipe=Recipe(learning_rate=0.01))
    assert made.key("d", None, None, {}) != same.key("d", None, None, {})


def test_tuned_arms_are_compared_whatever_was_chosen_for_each():
    def shared(rate, tuning="t"):
        values = {"recipe.learning_rate": rate}
        told = Tuned(study=f"of {rate}", tuning=tuning, trials=3, values=values)
        return shared_recipe(cell().with_values(values, told).to_json())

    assert shared(0.01) == shared(0.02)
    assert shared(0.01) != shared(0.01, tuning="another space")
    assert shared(0.01) != shared_recipe(cell(recipe=Recipe(learning_rate=0.01)).to_json())
