"""`[recipe]` as it is written: of all tasks, of some, by name, planned, as an axis."""

import pytest
from voxbench.design.recipe import Recipe
from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import parse_sweep
from voxbench.errors import SpecError

SWEEP = {"name": "s", "tasks": ["a", "b"], "baselines": ["scratch"]}


def table(recipe):
    return parse_sweep({**SWEEP, "recipe": recipe}).recipe


def plain(recipe, *names):
    [found] = table(recipe).on(*names).recipes()
    return found


def test_a_plain_table_is_the_recipe_of_every_task():
    assert plain({"steps": 50, "patch": [32, 32, 16]}, "a") == Recipe(steps=50, patch=(32, 32, 16))
    assert parse_sweep(SWEEP).recipe.recipes() == [Recipe()]


def test_a_task_overrides_what_it_names_and_keeps_the_rest():
    written = {"steps": 50, "learning_rate": 0.01, "b": {"steps": 70, "patch": [32, 32, 16]}}
    assert plain(written, "a") == Recipe(steps=50, learning_rate=0.01)
    assert plain(written, "b") == Recipe(steps=70, learning_rate=0.01, patch=(32, 32, 16))


def test_the_first_name_of_a_task_with_a_table_decides():
    written = {"folder": {"steps": 1}, "liver": {"steps": 2}}
    assert plain(written, "liver", "folder").steps == 2
    assert plain(written, "spleen", "folder").steps == 1


def test_a_table_of_no_task_is_refused_with_the_nearest_name():
    with pytest.raises(SpecError, match=r"recipe\.livr: unknown task 'livr'.*'liver'"):
        table({"livr": {"steps": 2}}).check_tasks({"liver", "spleen"})
    table({"liver": {"steps": 2}}).check_tasks({"liver", "spleen"})


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"a": {"stepz": 1}}, r"recipe\.a: unknown key 'stepz'. Did you mean 'steps'"),
        ({"a": {"steps": 0}}, r"recipe\.a: steps: "),
        ({"a": {"steps": {"x": 1}}}, r"recipe\.a\.steps: is a table"),
        ({"stepz": 1}, "unknown key 'stepz'.*steps"),
        ({"patch": {"x": 1}}, r"recipe\.patch"),
        ({"steps": []}, "recipe: steps: .* is empty"),
        ({"steps": [5, 5]}, "recipe: steps: .* names a value twice"),
        ({"steps": [5, 0]}, r"recipe\.steps"),
        ({"name": "nnunett"}, r"recipe\.name: .*'nnunet', 'suprem' or 'light'"),
        ("nnunett", r"recipe\.name: .*'nnunet', 'suprem' or 'light'"),
        ({"steps": "plan"}, r"recipe\.steps"),
        ({"optimiser": "sgd", "momentum": 0.9, "a": {"momentum": 2}}, r"recipe\.a: momentum: "),
    ],
)
def test_mistakes_are_told_with_their_place(recipe, message):
    with pytest.raises(SpecError, match=message) as caught:
        table(recipe)
    assert str(caught.value).startswith("sweep: ")


def test_what_is_to_be_planned_is_known_and_a_task_may_say_it_itself():
    found = table({"patch": "plan", "batch": "plan", "a": {"patch": [32, 32, 32]}})
    assert found.planned == ("patch", "batch")
    assert found.on("a").planned == ("batch",)
    assert found.recipes(patch=(64, 64, 32), batch=7) == [Recipe(patch=(64, 64, 32), batch=7)]


def test_a_list_of_steps_is_an_axis():
    found = table({"steps": [100, 300], "learning_rate": 0.01, "a": {"steps": 50}})
    assert found.recipes() == [Recipe(steps=n, learning_rate=0.01) for n in (100, 300)]
    assert found.on("a").axis == (50,)


def test_a_table_survives_the_way_through_a_sweep():
    found = parse_sweep({**SWEEP, "recipe": {"patch": "plan", "steps": [1, 2], "a": {"batch": 1}}})
    again = Sweep(name="s", tasks=("a", "b"), baselines=("scratch",), recipe=found.recipe)
    assert again.recipe == found.recipe
    assert again.recipe.axis == (1, 2)
    assert again.recipe.on("a").batch == 1
    own = Sweep(name="s", tasks=("a",), baselines=("scratch",), recipe=Recipe(steps=7))
    assert own.recipe.recipes() == [Recipe(steps=7)]


def test_a_name_gives_values_that_other_keys_override():
    assert plain("light") == plain({"name": "light"})
    assert plain({"name": "light", "steps": 7}).steps == 7
    assert plain({"name": "light", "steps": 7}).learning_rate == 0.005


def test_momentum_goes_with_its_optimiser():
    found = table({"name": "nnunet", "optimiser": "adamw"})
    assert found.recipes()[0].momentum is None
    assert table({"name": "nnunet", "a": {"optimiser": "adamw"}}).on("a").momentum is None


def test_a_task_may_have_a_recipe_of_another_name():
    found = table({"name": "nnunet", "steps": 9, "a": {"name": "light", "batch": 3}}).on("a")
    assert (found.steps, found.patch, found.batch, found.planned) == (
        500,
        (32, 32, 32),
        3,
        ("spacing",),
    )
