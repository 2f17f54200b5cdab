"""The recipes of a sweep on a task: its own table, with what is to be planned from the data."""

from voxbench.data.dataset import Dataset
from voxbench.data.fingerprint import Fingerprint, fingerprint
from voxbench.design.plan import Spacing, plan_batch, plan_patch, plan_spacing
from voxbench.design.recipe_table import RecipeTable, TaskRecipe


def task_recipes(table: RecipeTable, dataset: Dataset) -> list[TaskRecipe]:
    """One for each value of `steps`, the same for all arms, fractions, draws and seeds of a task.

    Raises:
        DataError: there is something to plan, and the header of a training image can't be read.
    """
    if not table.planned:
        return [TaskRecipe(recipe) for recipe in table.recipes()]
    own = dataset.card.preprocessing
    found = fingerprint(dataset, own.axes)
    planned = _plan(table, found, table.spacing or own.spacing_mm)
    words = ", ".join(f"{key} {_told(value)}" for key, value in planned.items())
    told = f"{words} planned from the headers of {found.cases} training cases"
    return [TaskRecipe(recipe, told) for recipe in table.recipes(**planned)]


def _plan(table: RecipeTable, found: Fingerprint, grid: Spacing | None) -> dict[str, object]:
    planned: dict[str, object] = {}
    if "spacing" in table.planned:
        grid = planned["spacing"] = plan_spacing(found.spacings, found.shapes(None))
    shapes, patch = found.shapes(grid), table.patch
    if "patch" in table.planned:
        patch = planned["patch"] = plan_patch(shapes, grid or found.median_spacing)
    if "batch" in table.planned:
        planned["batch"] = plan_batch(patch, shapes)
    return planned


def _told(value: object) -> str:
    return " × ".join(f"{side:g}" for side in value) if isinstance(value, tuple) else str(value)
