"""What is planned from a task's data: from training cases alone, the same for every arm."""

import pytest
from voxbench.data import fingerprint as fingerprint_module
from voxbench.errors import SpecError
from voxbench.running.bind import bind
from voxbench.running.remarks import remarks

from tests.running.conftest import make_sweep

PLAN = {"steps": 4, "patch": "plan", "batch": "plan", "spacing": "plan", "augmentation": "none"}


@pytest.fixture
def read(monkeypatch):
    """The images whose headers are read to plan."""
    found = set()
    original = fingerprint_module.read_spacing

    def spied(path, axes):
        found.add(path)
        return original(path, axes)

    monkeypatch.setattr(fingerprint_module, "read_spacing", spied)
    fingerprint_module.fingerprint.cache_clear()
    return found


def recipes(sweep):
    return {cell.cell.recipe for cell in bind(sweep)}


def test_only_training_cases_are_looked_at(example, read):
    cells = bind(make_sweep(recipe=PLAN))
    split = cells[0].trainings.dataset.split
    assert read == {case.images[0] for case in split.train}
    assert not read & {case.images[0] for case in (*split.validation, *split.test)}


def test_all_arms_and_fractions_have_the_same_plan(example):
    arms = [{"name": "scratch", "size": ["tiny", "small"]}]
    sweep = make_sweep(recipe=PLAN, baselines=arms, fractions=["1 shot", 1.0])
    [recipe] = recipes(sweep)
    assert (recipe.patch, recipe.batch) == ((32, 32, 32), 2)
    assert recipes(sweep) == {recipe}


def test_a_planned_cell_is_the_cell_that_says_its_values(example):
    planned = bind(make_sweep(recipe=PLAN))
    recipe = planned[0].cell.recipe
    values = {"patch": recipe.patch, "batch": recipe.batch, "spacing": recipe.spacing}
    written = bind(make_sweep(recipe={**PLAN, **values}))
    assert [cell.key for cell in planned] == [cell.key for cell in written]
    assert planned[0].trainings.preprocessing.spacing_mm == recipe.spacing


def test_the_plan_is_told_with_what_it_was_made_of(example):
    cells = bind(make_sweep(recipe=PLAN))
    told = [line for line in remarks(cells) if "planned" in line]
    spacing = " × ".join(f"{mm:g}" for mm in cells[0].cell.recipe.spacing)
    cases = len(cells[0].trainings.dataset.split.train)
    assert told == [
        f"example-cubes: spacing {spacing}, patch 32 × 32 × 32, batch 2 planned from the headers "
        f"of {cases} training cases"
    ]


def test_what_is_written_is_not_said_to_be_planned(example):
    assert not any("planned" in line for line in remarks(bind(make_sweep())))


def test_a_spacing_is_the_grid_of_arms_without_a_contract(example):
    [cell, *_] = bind(make_sweep(recipe={"steps": 4, "spacing": [2, 2, 3]}))
    assert cell.trainings.preprocessing.spacing_mm == (2.0, 2.0, 3.0)


def test_a_task_has_its_own_recipe_by_name_or_title(example):
    """The plugin `cubes` calls its task example-cubes."""
    tasks = ["cubes", "phantom-shifted"]
    for name in ("cubes", "example-cubes"):
        own = {"steps": 4, name: {"steps": 5}}
        cells = bind(make_sweep(tasks=tasks, recipe=own))
        assert {(cell.arm.task, cell.cell.recipe.steps) for cell in cells} == {
            ("example-cubes", 5), ("phantom-shifted", 4),
        }  # fmt: skip


def test_a_recipe_of_raters_is_refused_where_no_case_has_several(example):
    with pytest.raises(SpecError, match=r"recipe\.raters: no training case of example-cubes"):
        bind(make_sweep(recipe={"steps": 2, "raters": "all"}))


def test_a_recipe_of_a_task_that_is_not_there_is_refused(example):
    with pytest.raises(SpecError, match=r"recipe\.cubs: unknown task 'cubs'. Did you mean 'cubes'"):
        bind(make_sweep(recipe={"steps": 4, "cubs": {"steps": 5}}))


def test_steps_are_an_axis_and_a_limit_makes_one_of_them(example):
    sweep = make_sweep(recipe={"steps": [4, 8], "patch": [16, 16, 16]}, seeds=1)
    assert [cell.cell.recipe.steps for cell in bind(sweep)] == [4, 8]
    assert len({cell.key for cell in bind(sweep)}) == 2
    assert [cell.cell.recipe.steps for cell in bind(sweep, limit=2)] == [2]
